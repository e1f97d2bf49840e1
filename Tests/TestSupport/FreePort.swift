// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Ports of 127.0.0.1 that nobody listens on.
package enum FreePort {
    private static let given = Mutex<Set<Int>>([])

    /// A port that was free a moment ago and that this process was not given before.
    package static func next() throws -> Int {
        for _ in 0..<100 {
            let port = try probe()
            if given.withLock({ $0.insert(port).inserted }) { return port }
        }
        throw PeerFault(message: "no free port on 127.0.0.1")
    }

    private static func probe() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw PeerFault(message: "no socket: errno \(errno)") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                bind(descriptor, plain, length) == 0 ? getsockname(descriptor, plain, &length) : -1
            }
        }
        guard result == 0 else { throw PeerFault(message: "no port: errno \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
