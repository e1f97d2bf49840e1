// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import NIOCore

/// Writes frames to a client of live events.
enum WebSocketFrames {
    private static let reasonBytes = 123

    /// Events as one piece, a text frame each.
    static func events(_ events: [LiveEvent]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(events.reduce(0) { $0 + $1.json.count + 96 })
        for event in events {
            let (head, middle): (StaticString, StaticString) = (#"{"type":"event","id":""#, #"","data":"#)
            let length = head.utf8CodeUnitCount + event.id.utf8.count + middle.utf8CodeUnitCount + event.json.count + 1
            header(0x81, length, &buffer)
            buffer.writeStaticString(head)
            buffer.writeString(event.id)
            buffer.writeStaticString(middle)
            buffer.writeBytes(event.json)
            buffer.writeStaticString("}")
        }
        return buffer
    }

    /// A message about the stream itself.
    static func control(_ type: String, _ members: JSONObject = JSONObject()) -> ByteBuffer {
        var message: JSONObject = ["type": .string(type)]
        for member in members.members { message[member.name] = member.value }
        return frame(0x81, JSONValue.object(message).encoded())
    }

    /// What is wrong, in the members of the error envelope.
    static func error(_ refusal: Refusal) -> ByteBuffer {
        var members: JSONObject = ["code": .string(refusal.code.rawValue), "message": .string(refusal.message)]
        if let details = refusal.details { members["details"] = .object(details) }
        return control("error", members)
    }

    static let ping = frame(0x89, [])

    static func pong(_ payload: [UInt8]) -> ByteBuffer { frame(0x8A, payload) }

    /// The last frame; without a code it has no payload.
    static func close(_ code: Int?, reason: String = "") -> ByteBuffer {
        guard let code else { return frame(0x88, []) }
        let reason = BoundedText.cut(reason, bytes: reasonBytes)
        return frame(0x88, [UInt8(code >> 8 & 0xFF), UInt8(code & 0xFF)] + Array(reason.utf8))
    }

    private static func frame(_ first: UInt8, _ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        header(first, payload.count, &buffer)
        buffer.writeBytes(payload)
        return buffer
    }

    private static func header(_ first: UInt8, _ length: Int, _ buffer: inout ByteBuffer) {
        buffer.writeInteger(first)
        if length < 126 {
            buffer.writeInteger(UInt8(length))
        } else if length < 65_536 {
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(length))
        } else {
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(length))
        }
    }
}

extension Refusal {
    /// The code with which a WebSocket is closed instead of answering with the status.
    var closeCode: Int {
        switch status {
        case 401: 4401
        case 403: 4403
        case 429: 4429
        case 503: 1013
        default: 1008
        }
    }
}
