// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Reads replies out of bytes that arrive in any pieces, within bounds: a peer that is no Redis, or a broken one, costs no more memory than they
/// allow. A plain value; after an error it is not used again.
struct RESPDecoder: Sendable {
    /// How much one reply may be.
    struct Bounds: Sendable {
        var lineBytes = 16 << 10
        var bulkBytes = 8 << 20
        var depth = 8
        /// Members of all arrays together.
        var members = 1 << 17
        /// Everything together.
        var replyBytes = 32 << 20
    }

    private struct Frame {
        var missing: Int
        var members: [RESPValue] = []
    }

    /// What stands next in the bytes.
    private enum Element {
        case value(RESPValue)
        case opens(Int)
    }

    private let bounds: Bounds
    private var frames: [Frame] = []
    private var bytesOfReply = 0
    private var membersOfReply = 0

    init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// The next whole reply; nil while it is not there yet. What it has read is gone from the buffer.
    ///
    /// - Throws: `malformed` when the bytes are no reply or more than the bounds allow.
    mutating func next(_ buffer: inout ByteBuffer) throws(RedisError) -> RESPValue? {
        while let element = try element(&buffer) {
            var done: RESPValue
            switch element {
            case .value(let value): done = value
            case .opens(0): done = .array([])
            case .opens(let count):
                guard frames.count < bounds.depth else { throw Self.malformed("arrays are nested too deeply") }
                membersOfReply += count
                guard membersOfReply <= bounds.members else { throw Self.malformed("an array is too long") }
                frames.append(Frame(missing: count))
                continue
            }
            while var frame = frames.popLast() {
                frame.members.append(done)
                frame.missing -= 1
                guard frame.missing == 0 else {
                    frames.append(frame)
                    break
                }
                done = .array(frame.members)
            }
            if frames.isEmpty {
                bytesOfReply = 0
                membersOfReply = 0
                return done
            }
        }
        return nil
    }

    private mutating func element(_ buffer: inout ByteBuffer) throws(RedisError) -> Element? {
        guard let length = try lineLength(buffer) else { return nil }
        let start = buffer.readerIndex
        let line = buffer.getBytes(at: start, length: length) ?? []
        guard let kind = line.first else { throw Self.malformed("an empty line") }
        let rest = line.dropFirst()
        var taken = length + 2
        let element: Element
        switch kind {
        case UInt8(ascii: "+"): element = .value(.status(String(decoding: rest, as: UTF8.self)))
        case UInt8(ascii: "-"): element = .value(.failure(RedisReplyError(String(decoding: rest, as: UTF8.self))))
        case UInt8(ascii: ":"):
            guard let number = Self.number(rest) else { throw Self.malformed("a number that is none") }
            element = .value(.integer(number))
        case UInt8(ascii: "$"):
            guard let count = Self.number(rest), count >= -1, count <= bounds.bulkBytes else {
                throw Self.malformed("a string's length is wrong or too large")
            }
            guard count >= 0 else {
                element = .value(.null)
                break
            }
            let bytes = Int(count)
            guard buffer.readableBytes >= taken + bytes + 2 else { return nil }
            guard buffer.getInteger(at: start + taken + bytes, as: UInt16.self) == 0x0D0A else {
                throw Self.malformed("a string does not end where it says")
            }
            element = .value(.bytes(buffer.getBytes(at: start + taken, length: bytes) ?? []))
            taken += bytes + 2
        case UInt8(ascii: "*"):
            guard let count = Self.number(rest), count >= -1, count <= bounds.members else {
                throw Self.malformed("an array's length is wrong or too large")
            }
            element = count < 0 ? .value(.null) : .opens(Int(count))
        default: throw Self.malformed("a line of an unknown kind")
        }
        bytesOfReply += taken
        guard bytesOfReply <= bounds.replyBytes else { throw Self.malformed("a reply is too large") }
        buffer.moveReaderIndex(forwardBy: taken)
        return element
    }

    /// How many bytes stand before the end of the line; nil while the end is not there yet.
    private func lineLength(_ buffer: ByteBuffer) throws(RedisError) -> Int? {
        let view = buffer.readableBytesView.prefix(bounds.lineBytes + 2)
        if let end = view.firstIndex(of: 0x0D) {
            guard end - view.startIndex <= bounds.lineBytes else { throw Self.malformed("a line is too long") }
            guard end + 1 < buffer.readableBytesView.endIndex else { return nil }
            guard buffer.readableBytesView[end + 1] == 0x0A else { throw Self.malformed("a line does not end as one") }
            return end - view.startIndex
        }
        guard view.count <= bounds.lineBytes else { throw Self.malformed("a line is too long") }
        return nil
    }

    /// Digits with at most one sign before them, within 64 bits.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count <= 20, digits.first != UInt8(ascii: "+") else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    private static func malformed(_ what: String) -> RedisError {
        RedisError(.malformed, "the answer is not Redis' protocol, version 2: \(what)")
    }
}
