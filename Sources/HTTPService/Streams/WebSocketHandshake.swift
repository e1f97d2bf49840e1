// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import HTTPTypes
internal import Hummingbird

/// A request for a WebSocket that can be granted (RFC 6455 section 4.2).
struct WebSocketHandshake: Sendable {
    /// The one path that has a WebSocket.
    static let path = "/v1/events/ws"
    private static let protocols = ["tollgate-auth", "orcheo-auth"]
    private static let magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// What goes with the answer 101.
    let fields: HTTPFields

    /// - Throws: `request.malformed`.
    init(_ exchange: Exchange) throws(Refusal) {
        guard exchange.method == "GET", Self.list("upgrade", exchange).contains("websocket"),
            Self.list("connection", exchange).contains("upgrade")
        else {
            throw Refusal(
                .requestMalformed,
                message: "This endpoint speaks WebSocket over HTTP/1.1: send Upgrade: websocket and Connection: Upgrade"
            )
        }
        guard case .one("13") = exchange.headers.lookup("sec-websocket-version") else {
            throw Refusal(.requestMalformed, message: "Sec-WebSocket-Version is not 13")
        }
        guard case .one(let key) = exchange.headers.lookup("sec-websocket-key"),
            PaddedBase64.decode(ASCII.trimmed(key))?.count == 16
        else {
            throw Refusal(.requestMalformed, message: "Sec-WebSocket-Key is not 16 bytes in base64")
        }
        var fields = HTTPFields()
        fields[.upgrade] = "websocket"
        fields[.connection] = "Upgrade"
        fields[.secWebSocketAccept] = Self.accept(ASCII.trimmed(key))
        let offered = Self.list("sec-websocket-protocol", exchange)
        if let name = offered.first(where: { Self.protocols.contains($0) }) { fields[.secWebSocketProtocol] = name }
        self.fields = fields
    }

    /// What proves that the key was read.
    static func accept(_ key: String) -> String {
        PaddedBase64.encode(Array(Insecure.SHA1.hash(data: Array((key + magic).utf8))))
    }

    /// The elements of a list header, in lower case.
    private static func list(_ name: String, _ exchange: Exchange) -> [String] {
        exchange.headers.all(name).flatMap { line in
            line.split(separator: ",").map { ASCII.lowercased(ASCII.trimmed($0)) }
        }
    }

    /// The answer to a request for a WebSocket that is refused: it is granted, told why, and closed. Nil where an ordinary answer says it.
    static func answer(_ refusal: Refusal, _ exchange: Exchange) -> Response? {
        guard exchange.pathAsSent == path, refusal.code != .authOriginForbidden else { return nil }
        switch refusal.status {
        case 401, 403, 429, 503: break
        default: return nil
        }
        // What is no handshake gets an ordinary answer, whatever else is wrong with it.
        guard let handshake = try? WebSocketHandshake(exchange) else { return nil }
        return Response(
            status: .switchingProtocols, headers: handshake.fields,
            body: .init { writer in
                try await writer.write(WebSocketFrames.close(refusal.closeCode, reason: refusal.code.rawValue))
                try await writer.finish(nil)
            })
    }
}
