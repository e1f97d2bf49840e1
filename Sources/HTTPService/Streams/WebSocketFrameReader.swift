// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Reads what a client sends on a WebSocket (RFC 6455), in pieces of any size. No extension is agreed on, so none is read.
struct WebSocketFrameReader: Sendable {
    /// What came whole.
    enum Message: Sendable, Hashable {
        /// A text, joined from its fragments.
        case text(String)
        case ping([UInt8])
        case pong
        /// The client ends the connection, with its code if it gave one. Nothing is read behind it.
        case close(Int?)
    }

    /// What a client may not send, with the code to close with.
    struct Violation: Error, Hashable {
        let code: Int
        let reason: String

        static func protocolError(_ reason: String) -> Violation { Violation(code: 1002, reason: reason) }
        static func policy(_ reason: String) -> Violation { Violation(code: 1008, reason: reason) }
    }

    private struct Header {
        var isFinal: Bool
        var opcode: UInt8
        var length: Int
        var mask: (UInt8, UInt8, UInt8, UInt8)
        /// Bytes of the header itself.
        var size: Int

        var isControl: Bool { opcode & 0x08 != 0 }
    }

    private let maximumBytes: Int
    private var bytes: [UInt8] = []
    /// The beginning of a text whose rest is still to come.
    private var fragments: [UInt8]?
    private var isClosed = false

    /// - Parameter maximumBytes: of one text with all of its fragments.
    init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

    /// Bytes that are kept until more comes; never more than one frame.
    var waitingBytes: Int { bytes.count + (fragments?.count ?? 0) }

    /// Takes what has arrived.
    ///
    /// - Returns: what came whole with it, in order.
    mutating func read(_ new: some Sequence<UInt8>) throws(Violation) -> [Message] {
        guard !isClosed else { return [] }
        bytes.append(contentsOf: new)
        var messages: [Message] = []
        var position = 0
        while let header = try header(at: position) {
            try check(header)
            let start = position + header.size
            guard bytes.count - start >= header.length else { break }
            let payload = unmasked(start, header)
            position = start + header.length
            if let message = try take(header, payload) { messages.append(message) }
            if isClosed { break }
        }
        bytes.removeFirst(isClosed ? bytes.count : position)
        return messages
    }

    private func header(at position: Int) throws(Violation) -> Header? {
        let count = bytes.count - position
        guard count >= 2 else { return nil }
        let (first, second) = (bytes[position], bytes[position + 1])
        guard first & 0x70 == 0 else { throw .protocolError("reserved bits are set") }
        guard second & 0x80 != 0 else { throw .protocolError("a frame is not masked") }
        let short = Int(second & 0x7F)
        let extended = short == 126 ? 2 : short == 127 ? 8 : 0
        guard count >= 2 + extended + 4 else { return nil }
        var length = short
        if extended > 0 {
            let value = bytes[(position + 2)..<(position + 2 + extended)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard value >= (extended == 2 ? 126 : 65_536), value <= UInt64(Int64.max) else {
                throw .protocolError("a length is not written in the shortest form")
            }
            length = Int(value)
        }
        let mask = position + 2 + extended
        return Header(
            isFinal: first & 0x80 != 0, opcode: first & 0x0F, length: length,
            mask: (bytes[mask], bytes[mask + 1], bytes[mask + 2], bytes[mask + 3]), size: 2 + extended + 4)
    }

    /// Refuses what may not come, before its bytes are waited for.
    private func check(_ header: Header) throws(Violation) {
        switch header.opcode {
        case 0x0 where fragments == nil: throw .protocolError("a continuation continues nothing")
        case 0x1 where fragments != nil: throw .protocolError("a text begins within another")
        case 0x0, 0x1:
            guard header.length <= maximumBytes - (fragments?.count ?? 0) else {
                throw .policy("a message is longer than \(maximumBytes) bytes")
            }
        case 0x2: throw .policy("a message is binary")
        case 0x8, 0x9, 0xA:
            guard header.isFinal, header.length <= 125 else { throw .protocolError("a control frame is too long") }
        default: throw .protocolError("an opcode is unknown")
        }
    }

    private func unmasked(_ start: Int, _ header: Header) -> [UInt8] {
        let mask = [header.mask.0, header.mask.1, header.mask.2, header.mask.3]
        return (0..<header.length).map { bytes[start + $0] ^ mask[$0 & 3] }
    }

    private mutating func take(_ header: Header, _ payload: [UInt8]) throws(Violation) -> Message? {
        switch header.opcode {
        case 0x8:
            isClosed = true
            return .close(try Self.closeCode(payload))
        case 0x9: return .ping(payload)
        case 0xA: return .pong
        default:
            let whole = (fragments ?? []) + payload
            guard header.isFinal else {
                fragments = whole
                return nil
            }
            fragments = nil
            guard let text = String(validating: whole, as: UTF8.self) else {
                throw Violation(code: 1007, reason: "a text is not UTF-8")
            }
            return .text(text)
        }
    }

    private static func closeCode(_ payload: [UInt8]) throws(Violation) -> Int? {
        guard !payload.isEmpty else { return nil }
        guard payload.count >= 2 else { throw .protocolError("a close frame has half a code") }
        guard String(validating: payload[2...], as: UTF8.self) != nil else {
            throw Violation(code: 1007, reason: "a reason is not UTF-8")
        }
        let code = Int(payload[0]) << 8 | Int(payload[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: return code
        default: throw .protocolError("a close code is not one that may be sent")
        }
    }
}
