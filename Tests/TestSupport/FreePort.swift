// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Glibc
internal import Synchronization

/// Ports of 127.0.0.1 that nobody listens on.
///
/// They come from below the range out of which the kernel serves outgoing connections and listeners on port 0: a port of
/// that range that was free a moment ago may be somebody's connection by the time that a server wants to bind it.
package enum FreePort {
    private static let given = Mutex<Set<Int>>([])

    /// A port that was free a moment ago, that no connection is given by itself, and that this process was not given before.
    package static func next() throws -> Int {
        let range = 10_240..<firstEphemeralPort()
        for _ in 0..<1000 {
            let port = Int.random(in: range)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if try isFree(port) { return port }
        }
        throw PeerFault(message: "no free port on 127.0.0.1 in \(range)")
    }

    /// Where the kernel's own range begins (`ip(7)`, `ip_local_port_range`).
    private static func firstEphemeralPort() -> Int {
        let setting = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        let first = setting?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 32_768
        return first > 12_288 ? first : 32_768
    }

    private static func isFree(_ port: Int) throws -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw PeerFault(message: "no socket: errno \(errno)") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                bind(descriptor, plain, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
