// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import Pipeline
internal import ServiceLifecycle

/// One client of `GET /v1/events/ws`.
struct EventSocket: Sendable {
    /// Of a message from the client.
    static let messageBytes = 4096
    private static let silence = Duration.seconds(45)
    private static let members: Set<String> = ["type", "stream", "kind", "q", "last_event_id"]

    /// How a connection ended, for the record.
    private struct End {
        var reason: String
        var outcome = AuditDraft.Outcome.success
    }

    let session: StreamSession
    let inbox: SocketInbox

    /// Writes until the client goes away or the stream ends.
    @concurrent func write(_ request: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        let subscription = session.subscription
        try await request.consumeWithInboundCloseHandler { body in
            try await withGracefulShutdownHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await read(body) }
                    try await write(&writer)
                    group.cancelAll()
                }
            } onGracefulShutdown: {
                subscription.drain()
            }
        } onInboundClosed: {
            subscription.end()
        }
    }

    @concurrent private func read(_ body: RequestBody) async {
        do {
            for try await bytes in body {
                let (isCalled, goesOn) = inbox.read(bytes.readableBytesView)
                if isCalled { session.subscription.call() }
                guard goesOn else { return }
            }
        } catch {
            // The connection broke; whoever writes hears of it as well.
            return
        }
    }

    @concurrent private func write(_ writer: inout any ResponseBodyWriter) async throws {
        let end: End
        do {
            end = try await follow(&writer)
        } catch {
            await session.close("gone")
            throw error
        }
        await session.close(end.reason, outcome: end.outcome)
        try await writer.finish(nil)
    }

    @concurrent private func follow(_ writer: inout any ResponseBodyWriter) async throws -> End {
        while true {
            switch await session.subscription.next() {
            case .events(let events):
                try await writer.write(WebSocketFrames.events(events))
                session.wrote(events.count)
            case .gap(let id, let missed):
                let missed: JSONValue = missed.map { .int(Int64($0)) } ?? .null
                try await writer.write(WebSocketFrames.control("gap", ["after": .string(id), "missed": missed]))
            case .heartbeat:
                guard inbox.silence < Self.silence else {
                    return try await close(&writer, 1011, "no pong", End(reason: "silent", outcome: .failure))
                }
                try await writer.write(WebSocketFrames.ping)
            case .recheck:
                if let refusal = await session.recheck() { return try await refuse(refusal, &writer) }
            case .called:
                if let end = try await answer(&writer) { return end }
            case .ended(let end): return try await say(end, &writer)
            }
        }
    }

    @concurrent private func say(_ end: LiveEnd, _ writer: inout any ResponseBodyWriter) async throws -> End {
        switch end {
        case .gone: return End(reason: "gone")
        case .draining:
            try await writer.write(WebSocketFrames.control("draining"))
            return try await close(&writer, 1012, "draining", End(reason: "draining"))
        case .overflow(let dropped, let lastID):
            try await writer.write(
                WebSocketFrames.control(
                    "overflow", ["dropped": .int(Int64(dropped)), "last_id": .optional(lastID)]))
            return try await close(&writer, 4408, "overflow", End(reason: "overflow", outcome: .failure))
        }
    }

    /// Answers what the client has said.
    ///
    /// - Returns: the end, when that ended the connection.
    @concurrent private func answer(_ writer: inout any ResponseBodyWriter) async throws -> End? {
        let content = inbox.take()
        if let payload = content.ping { try await writer.write(WebSocketFrames.pong(payload)) }
        for text in content.texts {
            do throws(Refusal) {
                try subscribe(text)
            } catch {
                switch error.status {
                case 401, 403, 429, 503: return try await refuse(error, &writer)
                case 422: try await writer.write(WebSocketFrames.error(error))
                case _ where error.code == .auditBadQuery: try await writer.write(WebSocketFrames.error(error))
                default:
                    return try await close(
                        &writer, 1008, error.message, End(reason: error.code.rawValue, outcome: .failure))
                }
            }
        }
        if let violation = content.violation {
            return try await close(
                &writer, violation.code, violation.reason, End(reason: "violation", outcome: .failure))
        }
        guard let code = content.close else { return nil }
        return try await close(&writer, code, "", End(reason: "closed"))
    }

    /// Takes `{"type":"subscribe",…}`: what was asked for before is not given any more.
    private func subscribe(_ text: String) throws(Refusal) {
        // What is wrong with the text does not matter: only one thing may be said.
        guard let message = (try? JSONParser.parse(text: text))?.objectValue, message["type"] == "subscribe",
            message.names.allSatisfy({ Self.members.contains($0) })
        else { throw Refusal(.requestMalformed, message: "only subscribe may be sent") }
        session.change(to: try StreamRequest(message, caller: session.call.caller))
    }

    @concurrent private func refuse(
        _ refusal: Refusal, _ writer: inout any ResponseBodyWriter
    ) async throws -> End {
        try await writer.write(WebSocketFrames.error(refusal))
        return try await close(
            &writer, refusal.closeCode, refusal.code.rawValue,
            End(reason: refusal.code.rawValue, outcome: .init(status: refusal.status)))
    }

    @concurrent private func close(
        _ writer: inout any ResponseBodyWriter, _ code: Int?, _ reason: String, _ end: End
    ) async throws -> End {
        session.subscription.end()
        try await writer.write(WebSocketFrames.close(code, reason: reason))
        return end
    }
}
