// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A connection to Redis on the loopback address that writes and waits, with nothing between it and the kernel: what a round trip costs at the least.
struct BareRedis: Sendable {
    private let descriptor: Int32

    /// Runs `body` with a connection, then closes it.
    static func with<Value>(port: Int, _ body: (BareRedis) async throws -> Value) async throws -> Value {
        let connection = try BareRedis(port: port)
        do {
            let value = try await body(connection)
            close(connection.descriptor)
            return value
        } catch {
            close(connection.descriptor)
            throw error
        }
    }

    private init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw BareRedisError(doing: "socket", number: errno) }
        var isOn: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let number = errno
            close(descriptor)
            throw BareRedisError(doing: "connect", number: number)
        }
    }

    /// One PING and its PONG.
    func ping() throws {
        let command: StaticString = "*1\r\n$4\r\nPING\r\n"
        guard write(descriptor, command.utf8Start, command.utf8CodeUnitCount) == command.utf8CodeUnitCount else {
            throw BareRedisError(doing: "write", number: errno)
        }
        // `+PONG` and the end of the line.
        var missing = 7
        try withUnsafeTemporaryAllocation(byteCount: missing, alignment: 1) { buffer in
            while missing > 0 {
                let count = read(descriptor, buffer.baseAddress, missing)
                guard count > 0 else { throw BareRedisError(doing: "read", number: errno) }
                missing -= count
            }
        }
    }
}

/// A call of the kernel failed.
struct BareRedisError: Error {
    let doing: String
    let number: Int32
}
