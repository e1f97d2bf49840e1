// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import TestSupport
internal import Testing

@testable import Connectors

/// The reader of Redis' replies: every kind, any pieces, and nothing beyond its bounds.
struct RESPDecoderTests {
    private static let replies: [(bytes: String, value: RESPValue)] = [
        ("+OK\r\n", .status("OK")), ("+\r\n", .status("")),
        ("-ERR wrong\r\n", .failure(RedisReplyError("ERR wrong"))), (":0\r\n", .integer(0)),
        (":-9223372036854775808\r\n", .integer(.min)), ("$0\r\n\r\n", .bytes([])),
        ("$5\r\na\r\nbc\r\n", .bytes(Array("a\r\nbc".utf8))), ("$-1\r\n", .null), ("*-1\r\n", .null),
        ("*0\r\n", .array([])),
        ("*2\r\n*1\r\n$1\r\nx\r\n:7\r\n", .array([.array([.bytes([0x78])]), .integer(7)])),
        ("*3\r\n*0\r\n*0\r\n+a\r\n", .array([.array([]), .array([]), .status("a")])),
    ]

    @Test func readsEveryKindInAnyPieces() throws {
        for (bytes, value) in Self.replies {
            for size in [1, 2, 3, bytes.utf8.count] {
                #expect(try Self.read(Array(bytes.utf8), pieces: size) == [value], "\(bytes) in pieces of \(size)")
            }
        }
        let all = Self.replies.map(\.bytes).joined()
        #expect(try Self.read(Array(all.utf8), pieces: 7) == Self.replies.map(\.value))
    }

    @Test(arguments: [
        "\r\n", "x\r\n", ":\r\n", ":+1\r\n", ":1a\r\n", ":9223372036854775808\r\n", "$-2\r\n", "$a\r\n",
        "$1\r\nabc\r\n",
        "*-2\r\n", "*x\r\n", "+a\rb\r\n", "HTTP/1.1 400 Bad Request\r\n",
    ])
    func refusesWhatIsNoReply(_ text: String) {
        #expect(throws: RedisError.self) { try Self.read(Array(text.utf8), pieces: 64) }
    }

    @Test func keepsItsBounds() throws {
        let bounds = RESPDecoder.Bounds(lineBytes: 8, bulkBytes: 16, depth: 2, members: 4, replyBytes: 40)
        func read(_ text: String) throws -> [RESPValue] { try Self.read(Array(text.utf8), pieces: 64, bounds: bounds) }
        #expect(try read("+1234567\r\n") == [.status("1234567")])
        for text in [
            "+12345678\r\n", "+123456789", "$17\r\n", "*5\r\n", "*1\r\n*1\r\n*1\r\n", "*2\r\n*3\r\n",
            "*3\r\n$16\r\n0123456789abcdef\r\n$16\r\n0123456789abcdef\r\n",
        ] {
            #expect(throws: RedisError.self, "\(text)") { try read(text) }
        }
    }

    /// Bytes that were changed anywhere: an answer or a refusal, and never more than the bounds.
    @Test func survivesAnyBytes() {
        let random = SeededRandom(seed: 20_261_121)
        let sound = Array(Self.replies.map(\.bytes).joined().utf8)
        for _ in 0..<FuzzCases.count(3000) {
            var bytes = sound
            for _ in 0...random.below(6) {
                let place = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[place] = UInt8(random.below(256))
                case 1: bytes.remove(at: place)
                default: bytes.insert(Array("*$:+-0129\r\n".utf8)[random.below(11)], at: place)
                }
            }
            // Both ends are fine; only a crash or an endless loop is not.
            _ = try? Self.read(bytes, pieces: 1 + random.below(40))
        }
    }

    private static func read(
        _ bytes: [UInt8], pieces: Int, bounds: RESPDecoder.Bounds = RESPDecoder.Bounds()
    ) throws -> [RESPValue] {
        var decoder = RESPDecoder(bounds: bounds)
        var buffer = ByteBuffer()
        var values: [RESPValue] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            buffer.writeBytes(bytes[start..<min(bytes.count, start + pieces)])
            while let value = try decoder.next(&buffer) { values.append(value) }
        }
        return values
    }
}
