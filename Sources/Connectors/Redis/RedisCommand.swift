// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// A command with its arguments, each a text or bytes.
package struct RedisCommand: Sendable, Hashable {
    private(set) var words: [[UInt8]]

    /// A command of texts.
    package init(_ words: String...) { self.words = words.map { Array($0.utf8) } }

    /// A command of texts.
    package init(words: [String]) { self.words = words.map { Array($0.utf8) } }

    /// With one more text.
    package func adding(_ text: String) -> RedisCommand { adding(Array(text.utf8)) }

    /// With one more argument of any bytes.
    package func adding(_ bytes: [UInt8]) -> RedisCommand {
        var command = self
        command.words.append(bytes)
        return command
    }

    /// Appends what goes over the wire.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("*")
        Self.write(words.count, to: &buffer)
        for word in words {
            buffer.writeStaticString("$")
            Self.write(word.count, to: &buffer)
            buffer.writeBytes(word)
            buffer.writeStaticString("\r\n")
        }
    }

    private static func write(_ number: Int, to buffer: inout ByteBuffer) {
        buffer.writeString(String(number))
        buffer.writeStaticString("\r\n")
    }
}
