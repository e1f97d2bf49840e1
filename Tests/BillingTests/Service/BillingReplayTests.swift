// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

/// What has a key has its effect once.
@Suite struct BillingReplayTests {
    /// One operation with a key of its own.
    private enum Step: Sendable {
        case grant(Int64), use(Int64), event(Int64)
        case reserve(Int64)
        /// Of the reservation of another step.
        case commit(Int, Int64)
        case release(Int)
    }

    private static func steps(_ random: SeededRandom) -> [Step] {
        (0..<60).map { index in
            let amount = Int64(random.below(2000))
            return switch random.below(8) {
            case 0, 1: .grant(amount + 1)
            case 2: .use(amount)
            case 3: .event(amount)
            case 4, 5: .reserve(amount)
            case 6: .commit(random.below(index + 1), amount)
            default: .release(random.below(index + 1))
            }
        }
    }

    private static func run(_ step: Step, _ index: Int, _ desk: AccountDesk) async {
        let service = desk.service
        func id(_ index: Int) async throws -> String {
            try await desk.ledger.read("acme") { try $0.reservation(key: "r\(index)")?.id ?? "none" }
        }
        do {
            switch step {
            case .grant(let amount):
                let order = GrantOrder(key: "g\(index)", microCredits: amount, source: .admin, reason: "test")
                _ = try await service.grant(order, account: "acme", actor: "test")
            case .use(let amount): _ = try await service.settle(amount, account: "acme", key: "u\(index)")
            case .event(let input):
                _ = try await service.record([desk.event("e\(index)", "acme", input: input)], account: "acme")
            case .reserve(let amount): _ = try await desk.reserve("acme", amount, key: "r\(index)")
            case .commit(let other, let amount):
                let request = CommitRequest(amount: .microCredits(amount))
                _ = try await service.commit(try await id(other), request, account: "acme")
            case .release(let other): _ = try await service.release(try await id(other), account: "acme")
            }
        } catch {
            // Refusals are part of histories, faults are not.
            #expect(error is Refusal)
        }
    }

    @Test(arguments: UInt64(1)...12)
    func replayingAnySubsetTwiceChangesNothing(seed: UInt64) async throws {
        let random = SeededRandom(seed: seed)
        let steps = Self.steps(random)
        let (once, twice) = (try AccountDesk(), try AccountDesk())
        for desk in [once, twice] { try await desk.open("acme", microCredits: 3000) }
        for (index, step) in steps.enumerated() {
            await Self.run(step, index, once)
            await Self.run(step, index, twice)
            for _ in 0..<random.below(3) { await Self.run(step, index, twice) }
        }
        let (left, right) = (try await once.service.view("acme").book, try await twice.service.view("acme").book)
        #expect(left.balance == right.balance)
        #expect(left.totals == right.totals)
        #expect(left.held == right.held)
        #expect(left.lastSequence == right.lastSequence)
        #expect(left.counters == right.counters)
    }

    @Test func anotherBodyWithTheSameKeyIsRefused() async throws {
        let desk = try AccountDesk()
        try await desk.open("acme", microCredits: 100)
        _ = try await desk.reserve("acme", 10, key: "r")
        await expectRefusal(.requestIdempotencyMismatch) { _ = try await desk.reserve("acme", 11, key: "r") }
        let order = GrantOrder(key: "g", microCredits: 1, source: .admin, reason: "test")
        _ = try await desk.service.grant(order, account: "acme", actor: "test")
        var other = order
        other.expiresAt = desk.clock.now().adding(seconds: 60)
        await expectRefusal(.requestIdempotencyMismatch) {
            _ = try await desk.service.grant(other, account: "acme", actor: "test")
        }
    }
}
