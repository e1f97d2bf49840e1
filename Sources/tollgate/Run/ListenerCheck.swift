// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Tries the addresses of the listeners before anything else is touched: a start that cannot listen changes nothing.
enum ListenerCheck {
    /// Binds each address and lets it go again. Nothing listens meanwhile, so no client is let in to somebody who will not answer.
    ///
    /// - Parameter role: a process binds only what it serves.
    /// - Throws: `StartupProblem` with the setting and the address of each that cannot be had.
    static func run(_ listeners: ListenerSettings, role: ProcessRole = .all) throws {
        var wanted = [("TOLLGATE_PROBE_LISTEN", listeners.probes)]
        if role != .worker { wanted.insert(("TOLLGATE_LISTEN", listeners.api), at: 0) }
        if role.decides {
            if let decisions = listeners.decisions { wanted.append(("TOLLGATE_DECISION_LISTEN", decisions)) }
            if let grpc = listeners.grpc { wanted.append(("TOLLGATE_GRPC_LISTEN", grpc.address)) }
        }
        var problems: [String] = []
        for (setting, address) in wanted {
            if let reason = refusal(of: address) {
                problems.append("\(setting): cannot listen on \(address): \(reason). Choose another address.")
            }
        }
        guard problems.isEmpty else { throw StartupProblem(problems.joined(separator: "\n")) }
    }

    /// Why an address cannot be bound; nil when it can.
    private static func refusal(of address: ListenAddress) -> String? {
        do {
            let address = try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
            let number = address.withSockAddr { socket, length in bindError(socket, length) }
            return number == 0 ? nil : String(cString: strerror(number))
        } catch {
            return "\(error)"
        }
    }

    /// - Returns: the errno, 0 when all is well.
    private static func bindError(_ address: UnsafePointer<sockaddr>, _ length: Int) -> CInt {
        #if canImport(Glibc)
            let descriptor = socket(CInt(address.pointee.sa_family), CInt(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(CInt(address.pointee.sa_family), SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // As the listeners do: an address that a former process has just left is free.
        var yes: CInt = 1
        guard setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size)) == 0,
            bind(descriptor, address, socklen_t(length)) == 0
        else { return errno }
        return 0
    }
}
