// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import NIOCore

/// Writes events as `text/event-stream`.
enum ServerSentEvents {
    static let type = "text/event-stream"
    /// What a stream begins with: how long to wait before coming back, and a comment that makes proxies send the head on.
    static let greeting = "retry: 3000\n: tollgate\n\n"
    static let comment = ":\n\n"

    /// Events as one piece: an id and one line of data each, without a name, so that plain `EventSource` handlers see them.
    static func events(_ events: [LiveEvent]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(events.reduce(0) { $0 + $1.json.count + 56 })
        for event in events {
            buffer.writeStaticString("id: ")
            buffer.writeString(event.id)
            buffer.writeStaticString("\ndata: ")
            buffer.writeBytes(event.json)
            buffer.writeStaticString("\n\n")
        }
        return buffer
    }

    /// A message about the stream itself: named, and without an id.
    static func control(_ name: String, _ data: JSONObject) -> ByteBuffer {
        ByteBuffer(string: "event: \(name)\ndata: \(JSONValue.object(data).jsonText)\n\n")
    }
}
