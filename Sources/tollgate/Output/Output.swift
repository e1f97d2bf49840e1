// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Where a command writes. Standard output and standard error are the only ones in a process.
protocol Output: Sendable {
    /// Writes all the bytes, in order.
    func write(_ bytes: [UInt8])
}

extension Output {
    /// Writes a text and a line feed.
    func line(_ text: String) { write(Array(text.utf8) + [0x0A]) }
}

/// A file descriptor of the process.
struct DescriptorOutput: Output {
    private let descriptor: Int32

    static let standardOutput = DescriptorOutput(descriptor: STDOUT_FILENO)
    static let standardError = DescriptorOutput(descriptor: STDERR_FILENO)

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Whether a person is likely to read it.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                // Nobody reads any more: there is nowhere left to say so.
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}
