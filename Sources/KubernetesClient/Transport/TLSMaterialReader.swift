// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Logging
internal import Synchronization

/// Reads the files that TLS is made of, and reads them again when they change.
final class TLSMaterialReader: Sendable {
    /// How often the files are looked at, while there are calls.
    private static let checkInterval = Duration.seconds(10)

    private struct State {
        var material: TLSMaterial?
        var readAt = Duration.zero
    }

    private let authority: ClusterConnection.Material?
    private let certificate: ClientCertificateSource?
    private let time: any MonotonicClock
    private let logger: Logger
    private let state = Mutex(State())

    init(_ connection: ClusterConnection, time: any MonotonicClock, logger: Logger) {
        authority = connection.certificateAuthority
        certificate = connection.clientCertificate
        self.time = time
        self.logger = logger
    }

    /// What is in force; a file that cannot be read again leaves the last content in use.
    func current() throws(ClusterConnectionError) -> TLSMaterial {
        let now = time.now()
        let (last, isDue) = state.withLock { state -> (TLSMaterial?, Bool) in
            let isDue = state.material == nil || now - state.readAt >= Self.checkInterval
            if isDue { state.readAt = now }
            return (state.material, isDue)
        }
        if let last, !isDue { return last }
        do throws(ClusterConnectionError) {
            let material = try read()
            state.withLock { $0.material = material }
            return material
        } catch {
            guard let last else { throw error }
            logger.warning(
                "The certificates for the API server cannot be read again; the last ones stay in use",
                metadata: [LogKeys.reason: "\(error)"])
            return last
        }
    }

    private func read() throws(ClusterConnectionError) -> TLSMaterial {
        var material = TLSMaterial()
        if let authority { material.authority = try bytes(of: authority, field: "certificate-authority") }
        if let certificate {
            material.certificate = .init(
                certificate: try bytes(of: certificate.certificate, field: "client-certificate"),
                key: Redacted(try bytes(of: certificate.key, field: "client-key")))
        }
        return material
    }

    private func bytes(
        of source: ClusterConnection.Material, field: String
    ) throws(ClusterConnectionError) -> [UInt8] {
        switch source {
        case .bytes(let bytes): bytes.revealed
        case .file(let path): try ClusterFile.read(path, field: field)
        }
    }
}
