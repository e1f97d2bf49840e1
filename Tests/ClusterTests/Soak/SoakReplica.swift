// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport

/// One daemon of the soak: the same data directory and ports through all its lives, and a proxy before its API server.
final class SoakReplica: Sendable {
    /// What the kernel says of a process.
    struct Usage {
        var residentKiB: Int
        var descriptors: Int

        init(of id: Int32) throws {
            let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
            residentKiB = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
            descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd").count
        }
    }

    /// One life of the process, and what it used at its first moment of rest.
    private struct Life {
        var process: PeerProcess
        var first: Usage?
    }

    let name: String
    let daemon: ClusterDaemon
    let proxy: CuttingProxy
    private let life = Mutex<Life?>(nil)

    init(_ name: String, daemon: ClusterDaemon, proxy: CuttingProxy) {
        self.name = name
        self.daemon = daemon
        self.proxy = proxy
    }

    var process: PeerProcess? { life.withLock { $0?.process } }

    /// Starts it again, or for the first time.
    func start() throws {
        let process = try daemon.start()
        life.withLock { $0 = Life(process: process) }
    }

    func waitReady() async throws {
        try await process?.wait(forStatus: 200, of: "/readyz", port: daemon.probePort, within: .seconds(240))
    }

    /// Kills it as a power cut would.
    func kill() async throws { try await process?.killNow() }

    /// Asks it to end.
    ///
    /// - Returns: what is wrong with how it did.
    func stop() async -> String? {
        guard let process else { return nil }
        guard await process.end(patience: .seconds(90)) else { return "\(name) did not end within 90 s of SIGTERM" }
        guard process.exitStatus == 0 else {
            return "\(name) ended with \(process.exitStatus ?? -1) after SIGTERM:\n\(process.output.suffix(1000))"
        }
        return nil
    }

    /// Whether the process is there.
    var runs: Bool { process.map { $0.exitStatus == nil } ?? false }

    /// What the process uses now, and what it used at the first moment of rest of this life.
    func usage() throws -> (first: Usage, now: Usage) {
        guard let process else { throw PeerFault(message: "\(name) does not run") }
        let now = try Usage(of: process.id)
        let first = life.withLock { life in
            let first = life?.first ?? now
            life?.first = first
            return first
        }
        return (first, now)
    }
}
