// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import AuditTrail
internal import Authentication
package import Essentials
package import Healing
package import Logging
internal import Pipeline

/// Acknowledgements: silences in Alertmanager, asked for by callers with the permission or by a signed link that works once.
package struct AckRoutes: OwnAPIModule {
    /// What it is made of.
    package struct Parts: Sendable {
        package var silences: any SilenceMaking
        /// Nil: no link is accepted.
        package var linkKey: Redacted<[UInt8]>?
        package var maximumSeconds: Int64
        package var audit: any AuditRecording
        /// Remembers which links were used.
        package var uses: any IdempotencyStore
        package var desk: any HealingDesk
        package var clock: any WallClock
        package var random: any RandomSource
        package var logger: Logger

        package init(
            silences: any SilenceMaking, linkKey: Redacted<[UInt8]>?, maximumSeconds: Int64,
            audit: any AuditRecording, uses: any IdempotencyStore, desk: any HealingDesk, clock: any WallClock,
            random: any RandomSource, logger: Logger
        ) {
            self.silences = silences
            self.linkKey = linkKey
            self.maximumSeconds = maximumSeconds
            self.audit = audit
            self.uses = uses
            self.desk = desk
            self.clock = clock
            self.random = random
            self.logger = logger
        }
    }

    /// What became of an acknowledgement.
    private struct Done {
        let silenceID: String
        let endsAt: Timestamp
    }

    private static let fields: Set<String> = ["labels", "duration", "comment"]
    private let parts: Parts

    package init(_ parts: Parts) { self.parts = parts }

    package var routes: [OwnRoute] {
        [
            OwnRoute("GET", "/ack", .read) { call throws(Refusal) in try ask(call) },
            OwnRoute("POST", "/ack", .write, isRaw: true) { call throws(Refusal) in try await acknowledge(call) },
            OwnRoute("GET", "/ack/link", .read) { call throws(Refusal) in
                let text = try call.query.object(known: ["t"])["t"]?.stringValue ?? ""
                let link = try read(text)
                return AckPage.question(
                    link.request, endsAt: link.request.endsAt(from: parts.clock.now()), action: "/ack/link",
                    fields: [("t", text)])
            },
            OwnRoute("POST", "/ack/link", .write, isRaw: true) { call throws(Refusal) in try await follow(call) },
        ]
    }

    // MARK: - With a credential

    /// The page that asks. Its form goes to a link of its own where there can be one: a form cannot send the header that keeps other
    /// pages from posting with a session's cookie.
    private func ask(_ call: OwnCall) throws(Refusal) -> OwnAnswer {
        let request = try Self.request(
            try call.query.object(known: Self.fields), maximumSeconds: parts.maximumSeconds)
        let now = parts.clock.now()
        let endsAt = request.endsAt(from: now)
        guard let key = parts.linkKey, call.caller.principal.sessionID != nil else {
            return AckPage.question(
                request, endsAt: endsAt, action: "/ack",
                fields: [
                    ("labels", JSONValue.object(request.labelsJSON).jsonText), ("duration", request.duration),
                    ("comment", request.comment),
                ])
        }
        let link = AckLink(
            request: request, recipient: call.caller.principal.subject, expiresAt: now.cutToSecond.adding(seconds: 600),
            id: Base64URL.encode(parts.random.bytes(16)))
        return AckPage.question(request, endsAt: endsAt, action: "/ack/link", fields: [("t", link.token(key: key))])
    }

    private func acknowledge(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        // Clients say "form" where nobody told them what they send: no form begins with a brace.
        let isForm = FormFields.isForm(call.exchange) && call.bytes.first != UInt8(ascii: "{")
        let request: AckRequest
        if isForm {
            request = try Self.request(
                try FormFields.read(call.bytes, known: Self.fields), maximumSeconds: parts.maximumSeconds)
        } else {
            request = try AckRequest.read(try Self.object(call.bytes), maximumSeconds: parts.maximumSeconds)
        }
        let done = try await silence(request, by: call.caller.principal.subject, call)
        guard !isForm else {
            return recorded(AckPage.done(request, endsAt: done.endsAt, silenceID: done.silenceID), done)
        }
        return recorded(
            .json([
                "ok": true, "silenceId": .string(done.silenceID), "endsAt": .string(done.endsAt.rfc3339),
            ]), done)
    }

    // MARK: - With a link

    private func follow(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        guard FormFields.isForm(call.exchange) else {
            throw Refusal(.requestMalformed, message: "The body must be a form with the field t")
        }
        let text = try FormFields.read(call.bytes, known: ["t"])["t"]?.stringValue ?? ""
        let link = try read(text)
        let user = IdempotencyCaller(tenantID: nil, name: "ack-link")
        do throws(Refusal) {
            guard try await parts.uses.begin(key: link.id, caller: user, digest: "ack-link") == .new else {
                throw Refusal(.healingBadLink)
            }
        } catch {
            // Somebody else is using it at this moment.
            throw error.code == .requestIdempotencyMismatch ? Refusal(.healingBadLink) : error
        }
        let done: Done
        do throws(Refusal) {
            let subject = call.caller.principal.isAnonymous ? "link:\(link.recipient)" : call.caller.principal.subject
            done = try await silence(link.request, by: subject, call)
        } catch {
            // Nothing was silenced: the link may be tried again.
            await parts.uses.abandon(key: link.id, caller: user)
            throw error
        }
        do {
            try await parts.uses.finish(
                key: link.id, caller: user, digest: "ack-link", answer: StoredAnswer(status: 200, body: []))
        } catch {
            // It is done: to say otherwise would have the user do it again.
            parts.logger.error("a used link is not kept as used", metadata: [LogKeys.error: "\(error)"])
        }
        return recorded(AckPage.done(link.request, endsAt: done.endsAt, silenceID: done.silenceID), done)
    }

    private func read(_ text: String) throws(Refusal) -> AckLink {
        guard let key = parts.linkKey else { throw Refusal(.healingBadLink) }
        return try AckLink.read(text, key: key, maximumSeconds: parts.maximumSeconds, at: parts.clock.now())
    }

    // MARK: - Silences

    /// Has the silence made and tells of it, whether it was or not.
    private func silence(
        _ request: AckRequest, by subject: String, _ call: OwnCall
    ) async throws(Refusal) -> Done {
        let now = parts.clock.now()
        let endsAt = request.endsAt(from: now)
        let id: String
        do throws(Refusal) {
            id = try await parts.silences.create(request.silence(createdBy: subject, at: now))
        } catch {
            if error.code == .healingAlertmanagerFailed {
                try await tell(request, endsAt: endsAt, silenceID: nil, by: subject, call)
            }
            throw error
        }
        do throws(Refusal) {
            try await tell(request, endsAt: endsAt, silenceID: id, by: subject, call)
        } catch {
            // It is made: a refusal would have the caller make a second one.
            parts.logger.error(
                "a silence is made and not recorded",
                metadata: [LogKeys.object: "\(id)", LogKeys.error: "\(error.message)"])
        }
        return Done(silenceID: id, endsAt: endsAt)
    }

    private func tell(
        _ request: AckRequest, endsAt: Timestamp, silenceID: String?, by subject: String, _ call: OwnCall
    ) async throws(Refusal) {
        let event = HealingEvent.acknowledged(request, endsAt: endsAt, silenceID: silenceID)
        parts.desk.emitted(event.kind)
        try await parts.audit.record(
            AuditDraft(
                actor: subject, action: event.auditAction, resource: request.labels["alertname"] ?? "silence",
                outcome: silenceID == nil ? .failure : .success, metadata: event.members,
                ip: call.exchange.client.description, tenant: call.caller.principal.tenantID,
                requestID: call.exchange.requestID))
    }

    private func recorded(_ answer: OwnAnswer, _ done: Done) -> OwnAnswer {
        var answer = answer
        answer.auditMetadata["silence_id"] = .string(done.silenceID)
        return answer
    }

    // MARK: - Reading

    /// Reads texts, of which the labels are JSON.
    private static func request(_ texts: JSONObject, maximumSeconds: Int64) throws(Refusal) -> AckRequest {
        var object = texts
        if let text = texts["labels"]?.stringValue {
            // A text that is no JSON is no object either: that is what is said.
            object["labels"] = (try? JSONParser.parse(text: text, limits: .init(depth: 4))) ?? .string(text)
        }
        return try AckRequest.read(object, maximumSeconds: maximumSeconds)
    }

    private static func object(_ bytes: [UInt8]) throws(Refusal) -> JSONObject {
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes, limits: .init(depth: 8))
        } catch {
            throw Refusal(.requestMalformed, message: "The body is not JSON")
        }
        guard let object = value.objectValue else {
            throw Refusal(.requestMalformed, message: "The body must be a JSON object, not a \(value.kindName)")
        }
        return object
    }
}
