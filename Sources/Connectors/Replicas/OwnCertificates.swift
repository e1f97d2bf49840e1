// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import NIOSSL
internal import Synchronization

/// The certificate that every replica of this installation serves, as the own file has it.
///
/// A pod's address stands in no certificate, and a name in one proves little here: whoever is sent a caller's credential must hold the very key
/// that this replica serves with. So the other side's certificate is compared with the own one. Files of a Secret are not replaced everywhere
/// at once: the certificate before the present one is good for ten minutes more.
final class OwnCertificates: Sendable {
    /// How long the certificate before the present one is good.
    private static let overlap = Duration.seconds(600)
    private static let maximumBytes = 1 << 20

    private struct State {
        var current: [UInt8] = []
        var previous: (certificate: [UInt8], until: Duration)?
    }

    private let path: String
    private let time: any MonotonicClock
    private let state = Mutex(State())

    init(path: String, time: any MonotonicClock) {
        self.path = path
        self.time = time
    }

    /// The certificates that are good now, in DER; the file is read each time.
    func good() throws(ReplicaError) -> [[UInt8]] {
        let leaf = try read()
        let now = time.now()
        return state.withLock { state in
            if !state.current.isEmpty, state.current != leaf { state.previous = (state.current, now + Self.overlap) }
            state.current = leaf
            if let previous = state.previous, previous.until > now { return [leaf, previous.certificate] }
            return [leaf]
        }
    }

    private func read() throws(ReplicaError) -> [UInt8] {
        do {
            guard let bytes = try DurableFile.read(path, limit: Self.maximumBytes),
                let leaf = try NIOSSLCertificate.fromPEMBytes(bytes).first
            else { throw ReplicaError(.untrusted, "TOLLGATE_TLS_CERT_FILE: \(path) holds no certificate") }
            return try leaf.toDERBytes()
        } catch let error as ReplicaError {
            throw error
        } catch {
            throw ReplicaError(.untrusted, "TOLLGATE_TLS_CERT_FILE: \(path) cannot be read: \(error)")
        }
    }
}
