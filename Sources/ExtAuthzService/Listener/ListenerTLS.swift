// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import NIOCertificateReloading
internal import NIOSSL
internal import Synchronization

/// The TLS of the listener: new connections get the pair and the client authorities in force, open ones keep what they had.
final class ListenerTLS: Sendable {
    /// The file of the authorities is larger than any that somebody would trust on purpose.
    private static let maximumBytes = 1 << 20

    private struct State {
        var authorities: [UInt8]
        var context: NIOSSLContext
    }

    private let certificates: any CertificateReloader
    private let path: String?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - certificates: the pair in force; whoever made it keeps it new.
    ///   - path: PEM file of the client authorities; nil = no certificate is asked for.
    /// - Throws: what is wrong with the file or the pair.
    init(certificates: any CertificateReloader, authorities path: String?) throws {
        self.certificates = certificates
        self.path = path
        let bytes = try path.map(Self.read) ?? []
        state = Mutex(
            State(authorities: bytes, context: try Self.context(certificates, path == nil ? nil : bytes)))
    }

    /// For a new connection.
    var context: NIOSSLContext { state.withLock(\.context) }

    /// Whether there is a file to look at.
    var changes: Bool { path != nil }

    /// Takes the authorities anew when their file has changed.
    ///
    /// - Throws: what is wrong with the file; the last good authorities stay.
    func refresh() throws {
        guard let path else { return }
        let bytes = try Self.read(path)
        guard bytes != state.withLock(\.authorities) else { return }
        let context = try Self.context(certificates, bytes)
        state.withLock { $0 = State(authorities: bytes, context: context) }
    }

    /// Looks at the file again and again until the task is cancelled.
    func watch(every interval: Duration, logger: Logger) async {
        var isBroken = false
        while true {
            do { try await Task.sleep(for: interval) } catch { return }
            do {
                try refresh()
                isBroken = false
            } catch {
                if !isBroken {
                    logger.warning(
                        "the file of the gRPC client authorities cannot be used; the last good ones stay",
                        metadata: [LogKeys.setting: "TOLLGATE_GRPC_CLIENT_CA_FILE", LogKeys.error: "\(error)"])
                }
                isBroken = true
            }
        }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let bytes = try DurableFile.read(path, limit: maximumBytes) else {
            throw MissingAuthorities(path: path)
        }
        return bytes
    }

    private static func context(
        _ certificates: any CertificateReloader, _ authorities: [UInt8]?
    ) throws -> NIOSSLContext {
        var configuration = try TLSConfiguration.makeServerConfiguration(certificateReloader: certificates)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2"]
        if let authorities {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authorities))
            configuration.certificateVerification = .optionalVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }
}

/// There is no file of client authorities at the path.
struct MissingAuthorities: Error, CustomStringConvertible {
    let path: String

    var description: String { "there is no file at \(path)" }
}
