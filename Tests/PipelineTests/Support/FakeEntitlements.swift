// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Pipeline
internal import RuntimeState
internal import Synchronization

/// A ledger that grants, or refuses with its refusal, and remembers what it was asked.
final class FakeEntitlements: EntitlementService {
    private struct State {
        var asked: [EntitlementRequest] = []
        var previewed: [EntitlementRequest] = []
        var returned: [Entitlement] = []
        var refusal: Refusal?
    }

    private let state = Mutex(State())
    /// Runs before every answer.
    private let before: @Sendable () -> Void

    let makesAccounts: Bool

    init(makesAccounts: Bool = true, before: @escaping @Sendable () -> Void = {}) {
        self.makesAccounts = makesAccounts
        self.before = before
    }

    var asked: [EntitlementRequest] { state.withLock(\.asked) }
    var previewed: [EntitlementRequest] { state.withLock(\.previewed) }
    /// What was given back.
    var returned: [Entitlement] { state.withLock(\.returned) }

    /// From now on it refuses; nil = it grants.
    func refuse(_ refusal: Refusal?) { state.withLock { $0.refusal = refusal } }

    func decide(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal> {
        before()
        return state.withLock { state in
            state.asked.append(request)
            return state.refusal.map { .failure($0) } ?? .success(Self.grant(request))
        }
    }

    func giveBack(_ entitlement: Entitlement) async { state.withLock { $0.returned.append(entitlement) } }

    func preview(_ request: EntitlementRequest) async -> Result<Entitlement, Refusal> {
        state.withLock { state in
            state.previewed.append(request)
            guard state.refusal == nil else {
                return state.refusal.map { .failure($0) } ?? .failure(.init(.rateLimited))
            }
            var grant = Self.grant(request)
            (grant.reservation, grant.chargedMicroCredits, grant.countedTasks) = (nil, 0, 0)
            return .success(grant)
        }
    }

    /// 5 credits are left; a token costs a micro-credit.
    static func grant(_ request: EntitlementRequest) -> Entitlement {
        let held = request.estimate.input + max(request.estimate.maxOutput, request.estimate.output)
        return Entitlement(
            account: request.account, key: request.key, plan: "pro", remainingMicroCredits: 5_000_000,
            neededMicroCredits: held + request.microCreditsPerRequest,
            reservation: request.action == .tokens
                ? Entitlement.Reservation(
                    id: "r-1", heldMicroCredits: held,
                    expiresAt: Timestamp(microseconds: request.now.microseconds + 300_000_000)) : nil,
            chargedMicroCredits: request.microCreditsPerRequest,
            countedTasks: request.action == .task ? request.count : 0)
    }
}
