// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import Pipeline

/// Live events: `GET /events` as a stream of server-sent events, `GET /v1/events/ws` as messages of a WebSocket.
package struct StreamRoutes: OwnAPIModule {
    private static let members: Set<String> = ["stream", "kind", "q", "last_event_id"]

    private let parts: StreamParts

    package init(_ parts: StreamParts) { self.parts = parts }

    package var routes: [OwnRoute] {
        let events = ["/events", "/api/ops/autoheal/events"].map { path in
            OwnRoute("GET", path, .read) { call throws(Refusal) in try self.events(call) }
        }
        return events + [
            OwnRoute("GET", WebSocketHandshake.path, .read) { call throws(Refusal) in try socket(call) }
        ]
    }

    private func socket(_ call: OwnCall) throws(Refusal) -> OwnAnswer {
        let handshake = try WebSocketHandshake(call.exchange)
        // A browser cannot send headers with a WebSocket: here, and nowhere else, the credential may stand in the query.
        let members = try call.query.object(known: Self.members.union(["token", "access_token"]))
        let request = try StreamRequest(members, caller: call.caller)
        let subscription = try parts.hub.open(
            request.filter, over: .websocket, identity: call.caller.principal.streamIdentity, after: request.lastID,
            abandon: call.exchange.abort)
        let socket = EventSocket(
            session: StreamSession(call, subscription, filter: request.filter, parts: parts),
            inbox: SocketInbox(maximumBytes: EventSocket.messageBytes, time: parts.time))
        var answer = OwnAnswer(status: 101)
        answer.fields = handshake.fields
        answer.stream = OwnStream { body, writer in try await socket.write(body, &writer) }
        answer.auditMetadata = request.metadata
        answer.auditMetadata["phase"] = "opened"
        return answer
    }

    private func events(_ call: OwnCall) throws(Refusal) -> OwnAnswer {
        var members = try call.query.object(known: Self.members)
        switch call.exchange.headers.lookup("last-event-id") {
        case .absent: break
        case .several: throw Refusal(.requestDuplicateHeader, details: ["header": "last-event-id"])
        // A browser that comes back by itself still has the parameter that it came with first.
        case .one(let id): members["last_event_id"] = .string(id)
        }
        let request = try StreamRequest(members, caller: call.caller)
        var answer = OwnAnswer()
        answer.fields[.contentType] = ServerSentEvents.type
        answer.fields[.cacheControl] = "no-store"
        answer.fields[.accelBuffering] = "no"
        guard call.exchange.method != "HEAD" else { return answer }
        let subscription = try parts.hub.open(
            request.filter, over: .sse, identity: call.caller.principal.streamIdentity, after: request.lastID,
            abandon: call.exchange.abort)
        let stream = EventStream(
            session: StreamSession(call, subscription, filter: request.filter, parts: parts))
        answer.stream = OwnStream { body, writer in try await stream.write(body, &writer) }
        answer.auditMetadata = request.metadata
        answer.auditMetadata["phase"] = "opened"
        return answer
    }
}

extension HTTPField.Name {
    static let accelBuffering = constant("X-Accel-Buffering")
}
