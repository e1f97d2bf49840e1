// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Tries the addresses of the listeners before anything else is touched: a start that cannot listen changes nothing.
enum ListenerCheck {
    /// Binds each address and lets it go again.
    ///
    /// - Throws: `StartupProblem` with the setting and the address of each that cannot be had.
    static func run(_ listeners: ListenerSettings) async throws {
        var wanted = [("TOLLGATE_LISTEN", listeners.api), ("TOLLGATE_PROBE_LISTEN", listeners.probes)]
        if let decisions = listeners.decisions { wanted.append(("TOLLGATE_DECISION_LISTEN", decisions)) }
        if let grpc = listeners.grpc { wanted.append(("TOLLGATE_GRPC_LISTEN", grpc.address)) }
        var problems: [String] = []
        for (setting, address) in wanted {
            do {
                let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .bind(host: address.host, port: address.port).get()
                try await channel.close()
            } catch {
                let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
                problems.append("\(setting): cannot listen on \(address): \(reason). Choose another address.")
            }
        }
        guard problems.isEmpty else { throw StartupProblem(problems.joined(separator: "\n")) }
    }
}
