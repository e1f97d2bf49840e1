// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import HTTPService

@Suite struct WebSocketFrameReaderTests {
    private typealias Violation = WebSocketFrameReader.Violation

    private static func frame(
        _ opcode: UInt8, _ text: String = "", isFinal: Bool = true, mask: [UInt8]? = [1, 2, 3, 4]
    ) -> [UInt8] { StreamClient.frame(opcode, Array(text.utf8), isFinal: isFinal, mask: mask) }

    private func read(_ bytes: [UInt8]) throws -> [WebSocketFrameReader.Message] {
        var reader = WebSocketFrameReader(maximumBytes: 4096)
        return try reader.read(bytes)
    }

    @Test func readsTextsAndControlFramesInOrder() throws {
        let bytes =
            Self.frame(1, "one") + Self.frame(1, "tw", isFinal: false) + Self.frame(9, "now") + Self.frame(0, "o")
            + Self.frame(0xA) + Self.frame(1, String(repeating: "x", count: 4096))
            + StreamClient.frame(8, [0x03, 0xE8] + Array("bye".utf8)) + Self.frame(1, "behind")
        #expect(
            try read(bytes) == [
                .text("one"), .ping(Array("now".utf8)), .text("two"), .pong,
                .text(String(repeating: "x", count: 4096)), .close(1000),
            ])
    }

    @Test func readsThemInPiecesOfAnySize() throws {
        let bytes = Self.frame(1, "grüße", isFinal: false) + Self.frame(0, String(repeating: "y", count: 200))
        for size in 1...bytes.count {
            var reader = WebSocketFrameReader(maximumBytes: 4096)
            var messages: [WebSocketFrameReader.Message] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                messages += try reader.read(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(messages == [.text("grüße" + String(repeating: "y", count: 200))])
            #expect(reader.waitingBytes == 0)
        }
    }

    @Test(arguments: [
        (frame(1, "x", mask: nil), 1002, "a frame is not masked"),
        ([0xC1, 0x80, 0, 0, 0, 0], 1002, "reserved bits are set"),
        ([0x83, 0x80, 0, 0, 0, 0], 1002, "an opcode is unknown"),
        (frame(0, "x"), 1002, "a continuation continues nothing"),
        (frame(1, "x", isFinal: false) + frame(1, "y"), 1002, "a text begins within another"),
        (frame(9, "x", isFinal: false), 1002, "a control frame is too long"),
        (frame(9, String(repeating: "x", count: 126)), 1002, "a control frame is too long"),
        ([0x81, 0xFE, 0, 5, 0, 0, 0, 0], 1002, "a length is not written in the shortest form"),
        ([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1002, "a length is not written in the shortest form"),
        (frame(8, "x"), 1002, "a close frame has half a code"),
        (StreamClient.frame(8, [0x03, 0xED]), 1002, "a close code is not one that may be sent"),
        (StreamClient.frame(8, [0x03, 0xE8, 0xFF]), 1007, "a reason is not UTF-8"),
        (StreamClient.frame(1, [0xC3, 0x28]), 1007, "a text is not UTF-8"),
        (frame(2, "x"), 1008, "a message is binary"),
        (frame(1, String(repeating: "x", count: 4097)), 1008, "a message is longer than 4096 bytes"),
        (
            frame(1, String(repeating: "x", count: 4000), isFinal: false) + frame(0, String(repeating: "x", count: 97)),
            1008, "a message is longer than 4096 bytes"
        ),
        // What is too long is refused before it is waited for.
        ([0x81, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 1008, "a message is longer than 4096 bytes"),
    ])
    func refusesWhatMayNotBeSent(_ bytes: [UInt8], _ code: Int, _ reason: String) {
        let violation = #expect(throws: Violation.self) { _ = try read(bytes) }
        #expect(violation == Violation(code: code, reason: reason))
    }

    @Test func takesACloseFrameWithoutACode() throws {
        #expect(try read(Self.frame(8)) == [.close(nil)])
    }

    /// Whatever comes, in whatever pieces: it ends with messages or a violation, and nothing beyond the bound is kept.
    @Test func survivesChangedFrames() {
        let random = SeededRandom(seed: 45)
        let whole =
            Self.frame(1, #"{"type":"subscribe"}"#) + Self.frame(9, "p") + Self.frame(1, "a", isFinal: false)
            + Self.frame(0, "b") + StreamClient.frame(8, [0x03, 0xE8])
        for _ in 0..<FuzzCases.count(3000) {
            var bytes = whole
            for _ in 0...random.below(4) {
                switch random.below(3) {
                case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
                case 1: bytes.insert(UInt8(random.below(256)), at: random.below(bytes.count))
                default: bytes.remove(at: random.below(bytes.count))
                }
            }
            var reader = WebSocketFrameReader(maximumBytes: 64)
            var position = 0
            do throws(Violation) {
                while position < bytes.count {
                    let end = min(bytes.count, position + 1 + random.below(20))
                    _ = try reader.read(bytes[position..<end])
                    position = end
                    #expect(reader.waitingBytes <= 64 + 64 + 14)
                }
            } catch {
                #expect([1002, 1007, 1008].contains(error.code))
            }
        }
    }
}
