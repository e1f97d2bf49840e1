// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Crypto
internal import Essentials
internal import Pipeline

/// Decides, keeping the answer under the idempotency key where the call has one: the same key and body gets the first answer again.
struct DecisionMemory: Sendable {
    /// The answer to one call.
    struct Kept: Sendable {
        var status: Int
        var body: [UInt8]
        var replayed: Bool
    }

    /// The answers to a batch.
    struct Batch: Sendable {
        var bodies: [[UInt8]]
        /// Why nothing was decided, when nothing was.
        var unavailable: Refusal?
    }

    let keeper: any IdempotencyStore
    let caller: OwnCaller

    /// Answers one call. What cannot be decided is thrown and not kept.
    ///
    /// - Parameter isGone: whether nobody waits for the answer any more. What it took is given back, unless the answer is kept.
    func answer(
        _ call: DecisionCall, object: JSONObject, isGone: () -> Bool = { false },
        decide: (DecisionInput) async -> Decision
    ) async throws(Refusal) -> Kept {
        var reservation: Reservation?
        if let key = call.idempotencyKey {
            switch try await begin(key, object) {
            case .kept(let body): return Kept(status: 200, body: body, replayed: true)
            case .reserved(let new): reservation = new
            }
        }
        let decision = await decide(call.input)
        if let refusal = decision.refusal, refusal.status == 503, !call.input.explain {
            if let reservation { await keeper.abandon(key: reservation.key, caller: callerKey) }
            throw refusal
        }
        let body = Self.body(decision, explained: call.input.explain)
        if let reservation {
            try await finish(reservation, body, decision)
        } else if decision.tookSomething, isGone() {
            await decision.giveBack()
        }
        return Kept(status: decision.status == 503 ? 503 : 200, body: body, replayed: false)
    }

    /// Answers a batch in order; calls whose answer is kept are not decided again. When answers cannot be kept, none is given, and what was
    /// taken for those that are not kept is given back.
    ///
    /// - Parameter isGone: as for one call.
    func answers(
        _ calls: [DecisionCall], objects: [JSONObject], isGone: () -> Bool = { false },
        decide: ([DecisionInput]) async -> [Decision]
    ) async throws(Refusal) -> Batch {
        var bodies: [[UInt8]?] = Array(repeating: nil, count: calls.count)
        var reservations: [Reservation?] = Array(repeating: nil, count: calls.count)
        for (index, call) in calls.enumerated() {
            guard let key = call.idempotencyKey else { continue }
            switch try await begin(key, objects[index]) {
            case .kept(let body): bodies[index] = body
            case .reserved(let reservation): reservations[index] = reservation
            }
        }
        let open = bodies.indices.filter { bodies[$0] == nil }
        let decisions = open.isEmpty ? [] : await decide(open.map { calls[$0].input })
        var failure: Refusal?
        for (index, decision) in zip(open, decisions) {
            let body = Self.body(decision, explained: calls[index].input.explain)
            bodies[index] = body
            guard let reservation = reservations[index] else { continue }
            if decision.status == 503 {
                await keeper.abandon(key: reservation.key, caller: callerKey)
                continue
            }
            do throws(Refusal) {
                try await finish(reservation, body, decision)
            } catch {
                failure = failure ?? error
            }
        }
        if failure != nil || isGone() {
            for (index, decision) in zip(open, decisions) where reservations[index] == nil { await decision.giveBack() }
        }
        if let failure { throw failure }
        let unavailable = decisions.count == calls.count && decisions.allSatisfy { $0.status == 503 }
        return Batch(bodies: bodies.map { $0 ?? [] }, unavailable: unavailable ? decisions.first?.refusal : nil)
    }

    private struct Reservation: Sendable {
        var key: String
        var digest: String
    }

    private enum Begun {
        case kept([UInt8])
        case reserved(Reservation)
    }

    /// Keys belong to the asking credential.
    private var callerKey: IdempotencyCaller {
        IdempotencyCaller(
            tenantID: caller.principal.tenantID, name: caller.principal.tokenID ?? caller.principal.subject)
    }

    private func begin(_ key: String, _ object: JSONObject) async throws(Refusal) -> Begun {
        let digest = Hex.encode(SHA256.hash(data: JSONValue.object(object).encoded(sortedNames: true)))
        switch try await keeper.begin(key: key, caller: callerKey, digest: digest) {
        case .new: return .reserved(Reservation(key: key, digest: digest))
        case .answered(let answer): return .kept(answer.body)
        case .mismatch: throw Refusal(.requestIdempotencyMismatch)
        }
    }

    /// Keeps an answer. One that cannot be kept is lost: what was taken for it is given back.
    private func finish(_ reservation: Reservation, _ body: [UInt8], _ decision: Decision) async throws(Refusal) {
        do throws(Refusal) {
            try await keeper.finish(
                key: reservation.key, caller: callerKey, digest: reservation.digest,
                answer: StoredAnswer(status: 200, body: body))
        } catch {
            await decision.giveBack()
            throw error
        }
    }

    /// What makes the ledger meter the calls of one key once: keys belong to the asking credential.
    static func meteringKey(_ key: String, caller: OwnCaller) -> String {
        let name = caller.principal.tokenID ?? caller.principal.subject
        let owner = [caller.principal.tenantID, name, key].map(JSONValue.optional)
        return "decision:" + Hex.encode(SHA256.hash(data: JSONValue.array(owner).encoded()))
    }

    private static func body(_ decision: Decision, explained: Bool) -> [UInt8] {
        var json = JSONWriter(reserving: 1536)
        DecisionAnswer.write(decision, explained: explained, to: &json)
        return json.bytes
    }
}
