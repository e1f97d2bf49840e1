// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension StoreContract {
    /// What stores of answers under idempotency keys do.
    package static let idempotencyKeys: [Behaviour] = [
        Behaviour("idempotency: answers the same again for a day") { try await $0.answersTheSameAgain() },
        Behaviour("idempotency: lets one run at a time") { try await $0.letsOneRunAtATime() },
        Behaviour("idempotency: abandoning keeps answers") { try await $0.abandoningKeepsAnswers() },
        Behaviour("idempotency: the first answer stays") { try await $0.theFirstAnswerStays() },
        Behaviour("idempotency: callers of two tenants do not meet") { try await $0.callersDoNotMeet() },
    ]

    static let caller = IdempotencyCaller(tenantID: "acme", name: "c")

    func idempotency(_ replica: Int = 0) throws -> any IdempotencyStore { try found(replicas[replica].idempotency) }

    private func answersTheSameAgain() async throws {
        let store = try idempotency()
        let answer = StoredAnswer(
            status: 201, body: Array(#"{"secret":null,"ä":"\u0000"}"#.utf8),
            fields: #"[["X-A","ä"]]"#)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
        try await store.finish(key: "k", caller: Self.caller, digest: "d", answer: answer)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .answered(answer))
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "other") == .mismatch)
        clock.advance(seconds: 86_399)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .answered(answer))
        clock.advance(seconds: 1)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "other") == .new)
    }

    private func letsOneRunAtATime() async throws {
        let store = try idempotency()
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
        let refusal =
            await fault { _ = try await store.begin(key: "k", caller: Self.caller, digest: "d") } as? Refusal
        try hold(refusal?.code == .requestIdempotencyMismatch && refusal?.retryAfterSeconds == 1)
        await store.abandon(key: "k", caller: Self.caller)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
        // Whoever reserved it may be dead.
        clock.advance(seconds: 59)
        try hold(await fault { _ = try await store.begin(key: "k", caller: Self.caller, digest: "d") } is Refusal)
        clock.advance(seconds: 1)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
        try hold(await fault { _ = try await store.begin(key: "k", caller: Self.caller, digest: "d") } is Refusal)
    }

    private func abandoningKeepsAnswers() async throws {
        let store = try idempotency()
        let answer = StoredAnswer(status: 204, body: [])
        try await store.finish(key: "k", caller: Self.caller, digest: "d", answer: answer)
        await store.abandon(key: "k", caller: Self.caller)
        await store.abandon(key: "none", caller: Self.caller)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .answered(answer))
    }

    private func theFirstAnswerStays() async throws {
        let store = try idempotency()
        let first = StoredAnswer(status: 200, body: [1])
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
        clock.advance(seconds: 60)
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .new)
        try await store.finish(key: "k", caller: Self.caller, digest: "d", answer: first)
        try await store.finish(
            key: "k", caller: Self.caller, digest: "d", answer: StoredAnswer(status: 200, body: [2]))
        try hold(try await store.begin(key: "k", caller: Self.caller, digest: "d") == .answered(first))
    }

    private func callersDoNotMeet() async throws {
        let store = try idempotency()
        let callers = ["acme", "other", nil].flatMap { tenant in
            ["c", "d"].map { IdempotencyCaller(tenantID: tenant, name: $0) }
        }
        for (index, caller) in callers.enumerated() {
            try hold(try await store.begin(key: "k", caller: caller, digest: "\(index)") == .new)
            let answer = StoredAnswer(status: 200, body: [UInt8(index)])
            try await store.finish(key: "k", caller: caller, digest: "\(index)", answer: answer)
        }
        for (index, caller) in callers.enumerated() {
            let answer = StoredAnswer(status: 200, body: [UInt8(index)])
            try hold(try await store.begin(key: "k", caller: caller, digest: "\(index)") == .answered(answer))
        }
    }
}
