// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import HTTPService
internal import Pipeline
internal import RuntimeState
internal import Synchronization

/// A trail in memory that can be made unavailable.
final class FakeAudit: AuditRecording {
    struct Entries {
        var queued: [AuditDraft] = []
        var durable: [AuditDraft] = []
        /// What happened in which order, with the handlers' own notes.
        var order: [String] = []
    }

    private let entries = Mutex(Entries())
    private let writable: Mutex<Bool>

    var isWritable: Bool {
        get { writable.withLock { $0 } }
        set { writable.withLock { $0 = newValue } }
    }

    init(isWritable: Bool = true) { writable = Mutex(isWritable) }

    var queued: [AuditDraft] { entries.withLock { $0.queued } }
    var durable: [AuditDraft] { entries.withLock { $0.durable } }
    var order: [String] { entries.withLock { $0.order } }

    func note(_ text: String) { entries.withLock { $0.order.append(text) } }

    func acceptNow(_ draft: AuditDraft) -> Bool {
        guard isWritable else { return false }
        entries.withLock { $0.queued.append(draft) }
        return true
    }

    func accept(_ draft: AuditDraft) async throws(Refusal) {
        guard acceptNow(draft) else { throw Refusal(.auditUnavailable) }
    }

    func acceptAllowedDecision(_ decision: AllowedDecision) -> Bool { isWritable }

    func record(_ draft: AuditDraft) async throws(Refusal) {
        guard isWritable else { throw Refusal(.auditUnavailable) }
        entries.withLock {
            $0.durable.append(draft)
            $0.order.append("record")
        }
    }

    func checkWritable() throws(Refusal) {
        note("check")
        guard isWritable else { throw Refusal(.auditUnavailable) }
    }
}

/// Tokens that only exist as the JSON of their answers.
final class FakeTokens: ServiceTokenService {
    private let calls = Mutex<[String]>([])
    private let audit: FakeAudit?

    init(audit: FakeAudit? = nil) { self.audit = audit }

    var made: [String] { calls.withLock { $0 } }

    private func note(_ text: String) {
        calls.withLock { $0.append(text) }
        audit?.note(text)
    }

    func create(_ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        note("create")
        guard body["identifier"] != "taken" else { throw Refusal(.tokenAlreadyExists) }
        return TokenChange(
            json: ["identifier": body["identifier"] ?? "made", "secret": "tgs_made_secret", "message": "Store it"])
    }

    func list(_ query: JSONObject, caller: OwnCaller) async throws(Refusal) -> JSONObject {
        ["tokens": [], "total": 0, "next_cursor": nil, "query": .object(query)]
    }

    func show(_ id: String, caller: OwnCaller) async throws(Refusal) -> JSONObject {
        guard id != "missing" else { throw Refusal(.tokenNotFound, message: "Service token 'missing' not found") }
        return ["identifier": .string(id), "secret": nil]
    }

    func rotate(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        note("rotate")
        return TokenChange(
            json: ["identifier": "next", "rotated_from": .string(id), "secret": "tgs_next_secret"],
            before: ["identifier": .string(id)], after: ["identifier": .string(id), "rotated_to": "next"])
    }

    func revoke(_ id: String, _ body: JSONObject, caller: OwnCaller) async throws(Refusal) -> TokenChange {
        note("revoke \(id): \(body["reason"]?.stringValue ?? "-")")
        return TokenChange(json: ["identifier": .string(id)])
    }
}

/// A trail without entries that remembers what was asked.
final class FakeTrail: AuditQuerying {
    private let asked = Mutex<[(query: AuditQuery, reader: AuditReader)]>([])

    var queries: [AuditQuery] { asked.withLock { $0.map(\.query) } }
    var readers: [AuditReader] { asked.withLock { $0.map(\.reader) } }

    func query(_ query: AuditQuery, as reader: AuditReader) async throws(Refusal) -> AuditPage {
        asked.withLock { $0.append((query, reader)) }
        guard query.cursor != "bad" else { throw Refusal(.auditBadCursor) }
        return AuditPage(rows: [], nextCursor: "next")
    }

    private let askedHealing = Mutex<[(query: HealingQuery, reader: AuditReader)]>([])

    var healingQueries: [(query: HealingQuery, reader: AuditReader)] { askedHealing.withLock { $0 } }

    func healingEvents(_ query: HealingQuery, as reader: AuditReader) async throws(Refusal) -> [JSONObject] {
        askedHealing.withLock { $0.append((query, reader)) }
        return [["kind": "ack", "ts": .double(1_762_138_695.5), "id": "i"]]
    }
}

/// One object.
struct FakeCatalog: ResourceCatalog {
    func resources(kind: String?, namespace: String?) -> (items: [ResourceView], snapshot: UInt64) {
        let view = ResourceView(
            kind: "AuthConfig", namespace: "platform", name: "main", json: ["kind": "AuthConfig"])
        return (kind == nil || kind == "AuthConfig" ? [view] : [], 7)
    }
}

/// Idempotency keys in memory.
final class FakeKeys: IdempotencyStore {
    private let kept = Mutex<[String: (digest: String, answer: StoredAnswer?)]>([:])
    /// Whether no answer can be kept.
    let isAway = Mutex(false)

    func begin(key: String, caller: IdempotencyCaller, digest: String) async throws(Refusal) -> IdempotencyState {
        kept.withLock { kept in
            guard let known = kept["\(caller) \(key)"] else {
                kept["\(caller) \(key)"] = (digest, nil)
                return .new
            }
            guard known.digest == digest else { return .mismatch }
            return known.answer.map { .answered($0) } ?? .new
        }
    }

    func finish(
        key: String, caller: IdempotencyCaller, digest: String, answer: StoredAnswer
    ) async throws(Refusal) {
        if isAway.withLock(\.self) { throw Refusal(.authStoreUnavailable) }
        kept.withLock { $0["\(caller) \(key)"] = (digest, answer) }
    }

    func abandon(key: String, caller: IdempotencyCaller) async { kept.withLock { $0["\(caller) \(key)"] = nil } }
}

/// The trusted-proxy rule over one list of addresses, with the rightmost `X-Forwarded-For` entry as the client.
struct FakeAddresses: ClientAddressResolving {
    var trusted: [CIDR] = []

    func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }

    func resolve(peer: IPAddress, headers: HeaderList) -> IPAddress {
        headers.all("x-forwarded-for").last.flatMap { IPAddress(ASCII.trimmed($0)) } ?? peer
    }
}

/// One block.
final class FakeBlocks: AuthBlockService {
    private let keys = Mutex<Set<String>>(["ip:203.0.113.7"])

    func blocks() -> [JSONObject] {
        keys.withLock { $0.sorted() }.map { ["key": .string($0), "kind": "ip", "count": 20, "retry_after": 12] }
    }

    func clear(_ key: String) -> Bool { keys.withLock { $0.remove(key) != nil } }
}

/// Health as a test sets it.
struct FakeReadiness: ReadinessReporting {
    var isDraining = false
    var isLive = true
    var list = [ReadinessCheck(name: "snapshot", status: .ok, detail: "generation 7")]

    func checks() -> [ReadinessCheck] { list }
}
