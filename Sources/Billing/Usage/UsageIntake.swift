// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Checks events one by one, in a fixed order of refusals, and tells repeats from new ones. Pure: nothing is stored here.
///
/// The order: `usage.missing_field`, `usage.bad_specversion`, `usage.wrong_account`, `usage.time_out_of_range`, then whether it is a repeat,
/// `usage.unknown_type`, `usage.bad_operation`, `usage.bad_count`, `usage.missing_counts`, and what rating says.
package struct UsageIntake: Sendable {
    /// How far ahead of now an event may be, in seconds.
    package static let maximumSecondsAhead: Int64 = 300
    /// How old an event may be, in seconds: 31 days.
    package static let maximumAgeSeconds: Int64 = 31 * 86_400

    /// Whose events are taken; nil = of any account, for a platform principal.
    private let account: String?
    private let actor: String?
    private let now: Timestamp
    private let dedupSeconds: Int64

    /// - Parameters:
    ///   - account: the caller's tenant; nil for a platform principal, which may name any account.
    ///   - actor: who calls; nil = the product itself.
    ///   - now: of the call.
    ///   - dedupWindow: `TOLLGATE_USAGE_DEDUP_WINDOW`.
    package init(account: String?, actor: String? = nil, now: Timestamp, dedupWindow: Duration) {
        self.account = account
        self.actor = actor
        self.now = now
        dedupSeconds = dedupWindow.wholeSeconds
    }

    /// What was taken at or after this instant is what an event can repeat: less than the window ago.
    package var repeatsSince: Timestamp {
        Timestamp(microseconds: now.adding(seconds: -dedupSeconds).microseconds.addingSaturated(1))
    }

    /// Every event up to the look for repeats, in order.
    package func check(_ batch: CloudEventBatch) -> [UsageCandidate] {
        var candidates: [UsageCandidate] = []
        candidates.reserveCapacity(batch.events.count)
        for (index, event) in batch.events.enumerated() { candidates.append(check(event, index: index)) }
        return candidates
    }

    private func check(_ event: CloudEvent, index: Int) -> UsageCandidate {
        let (id, source) = (event.members["id"]?.stringValue, event.members["source"]?.stringValue)
        do throws(Refusal) {
            let envelope = try self.envelope(event.members)
            return UsageCandidate(
                index: index, id: id, source: source, account: envelope.account,
                state: .taken(digest: envelope.digest, content: content(envelope)))
        } catch {
            return UsageCandidate(index: index, id: id, source: source, account: nil, state: .refused(error))
        }
    }

    // MARK: Steps

    private struct Envelope {
        var source: String
        var id: String
        var account: String
        var at: Timestamp
        var digest: String
        var content: UsageContent
    }

    private func envelope(_ members: JSONObject) throws(Refusal) -> Envelope {
        guard let version = members["specversion"]?.stringValue, !version.isEmpty else {
            throw UsageRefusal.at(.usageMissingField, "specversion")
        }
        let id = try UsageContent.required(members, "id")
        let source = try UsageContent.required(members, "source")
        let type = try UsageContent.required(members, "type")
        let subject = try UsageContent.required(members, "subject")
        guard let data = Self.data(members) else { throw UsageRefusal.at(.usageMissingField, "data") }
        let content = UsageContent(type: type, data: data)
        try content.checkMembers()
        guard version == "1.0" else { throw UsageRefusal.at(.usageBadSpecversion, "specversion") }
        guard account == nil || account == subject else { throw UsageRefusal.at(.usageWrongAccount, "subject") }
        let (at, written) = try time(members["time"])
        return Envelope(
            source: source, id: id, account: subject, at: at,
            digest: UsageDigest.of(type: type, account: subject, time: written, data: .object(data)),
            content: content)
    }

    private func time(_ value: JSONValue?) throws(Refusal) -> (at: Timestamp, written: String?) {
        guard let value, !value.isNull else { return (now, nil) }
        guard let text = value.stringValue, let at = Timestamp(rfc3339: text),
            at <= now.adding(seconds: Self.maximumSecondsAhead), at >= now.adding(seconds: -Self.maximumAgeSeconds)
        else { throw UsageRefusal.at(.usageTimeOutOfRange, "time") }
        return (at, text)
    }

    /// The data as an object, also where it came as base64 of JSON; nil where it is none.
    private static func data(_ members: JSONObject) -> JSONObject? {
        if let data = members["data"] { return data.objectValue }
        guard let text = members["data_base64"]?.stringValue, let bytes = PaddedBase64.decode(text) else { return nil }
        // What it is instead of JSON helps nobody: it is not there.
        return (try? JSONParser.parse(bytes, limits: .init(depth: 16, values: 10_000)))?.objectValue
    }

    private func content(_ envelope: Envelope) -> Result<UsageEvent, Refusal> {
        do throws(Refusal) {
            let data = envelope.content
            let content = try data.read()
            return .success(
                UsageEvent(
                    source: envelope.source, id: envelope.id, digest: envelope.digest, account: envelope.account,
                    at: envelope.at, content: content, agent: data.text("agent"), user: data.text("user"),
                    project: data.text("project"), session: data.text("session"), task: data.text("task"),
                    reservation: data.text("reservation"), actor: actor))
        } catch {
            return .failure(error)
        }
    }
}

/// An event up to the point where only the store knows more.
package struct UsageCandidate: Sendable, Hashable {
    /// How far it got.
    package enum State: Sendable, Hashable {
        /// It is refused whatever was recorded before.
        case refused(Refusal)
        /// It is a repeat, or what its content says.
        case taken(digest: String, content: Result<UsageEvent, Refusal>)
    }

    /// Its place in the call.
    package var index: Int
    package var id: String?
    package var source: String?
    /// Nil where it is refused.
    package var account: String?
    package var state: State

    /// What it is told from others by; nil where it does not say.
    package var key: UsageKey? {
        guard let source, let id else { return nil }
        return UsageKey(source: source, id: id)
    }
}
