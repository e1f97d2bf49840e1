// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import ServiceLifecycle

/// One client of `GET /events`.
struct EventStream: Sendable {
    let session: StreamSession

    /// Writes until the client goes away or the stream ends.
    @concurrent func write(_ request: RequestBody, _ writer: inout any ResponseBodyWriter) async throws {
        let subscription = session.subscription
        try await request.consumeWithInboundCloseHandler { _ in
            try await withGracefulShutdownHandler {
                try await write(&writer)
            } onGracefulShutdown: {
                subscription.drain()
            }
        } onInboundClosed: {
            subscription.end()
        }
    }

    @concurrent private func write(_ writer: inout any ResponseBodyWriter) async throws {
        var end = (reason: "gone", outcome: AuditDraft.Outcome.success)
        do {
            end = try await follow(&writer)
        } catch {
            await session.close("gone")
            throw error
        }
        await session.close(end.reason, outcome: end.outcome)
        try await writer.finish(nil)
    }

    @concurrent private func follow(
        _ writer: inout any ResponseBodyWriter
    ) async throws -> (reason: String, outcome: AuditDraft.Outcome) {
        try await writer.write(ByteBuffer(string: ServerSentEvents.greeting))
        while true {
            switch await session.subscription.next() {
            case .events(let events):
                try await writer.write(ServerSentEvents.events(events))
                session.wrote(events.count)
            case .gap(let id, let missed):
                let data: JSONObject = ["after": .string(id), "missed": missed.map { .int(Int64($0)) } ?? .null]
                try await writer.write(ServerSentEvents.control("gap", data))
            case .heartbeat: try await writer.write(ByteBuffer(string: ServerSentEvents.comment))
            case .recheck:
                guard let refusal = await session.recheck() else { continue }
                session.subscription.end()
                let data: JSONObject = ["code": .string(refusal.code.rawValue), "message": .string(refusal.message)]
                try await writer.write(ServerSentEvents.control("closed", data))
                return (refusal.code.rawValue, AuditDraft.Outcome(status: refusal.status))
            case .called: continue
            case .ended(.gone): return ("gone", .success)
            case .ended(.draining):
                try await writer.write(ServerSentEvents.control("draining", JSONObject()))
                return ("draining", .success)
            case .ended(.overflow(let dropped, let lastID)):
                let data: JSONObject = ["dropped": .int(Int64(dropped)), "last_id": .optional(lastID)]
                try await writer.write(ServerSentEvents.control("overflow", data))
                return ("overflow", .failure)
            }
        }
    }
}
