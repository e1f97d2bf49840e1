// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

/// Every sequence of events of the cases, and longer ones, through the service that the server runs, with the real effects on a real ledger:
/// in whatever order and however often they come, the account ends with the same state, plan, grants and balance.
@Suite struct StripeReplayTests {
    static let records = CaseFile.all(area: "billing").filter { $0.kind == "stripe_events" }
    static let sequences = records.compactMap { try? StripeSequence($0) } + StripeSequence.longer

    @Test func everyCaseIsRead() { #expect(Self.records.count >= 10 && Self.sequences.count == Self.records.count + 5) }

    /// What a case expects holds of the real engine as well.
    @Test(arguments: records)
    func endsAsTheCaseSays(_ record: CaseRecord) async throws {
        let sequence = try StripeSequence(record)
        let world = try await StripeReplay(sequence, ledger: MemoryBillingLedger())
        let outcomes = try await world.deliver(sequence.events)
        var wanted = try #require(record.expect.objectValue)
        if let expected = wanted["outcomes"] { #expect(JSONValue.strings(outcomes.map(\.rawValue)) == expected) }
        wanted["outcomes"] = nil
        BillingKinds.expect(.object(try await world.look()), has: .object(wanted), record.id)
    }

    @Test(arguments: sequences)
    func everyOrderEndsTheSame(_ sequence: StripeSequence) async throws {
        let first = try await end(of: sequence, in: sequence.events, over: MemoryBillingLedger())
        #expect(first.faults.isEmpty, "\(sequence): \(first.faults)")
        for order in sequence.orders(atMost: 150, seed: 11) {
            let other = try await end(of: sequence, in: order, over: MemoryBillingLedger())
            #expect(other == first, "\(sequence): \(order.map(\.id))")
        }
    }

    /// Delivered when they happened, each at its own time, they come to the same as all at once later.
    @Test(arguments: sequences)
    func theOrderOfTheirTimesEndsTheSame(_ sequence: StripeSequence) async throws {
        let later = try await end(of: sequence, in: sequence.events, over: MemoryBillingLedger())
        let world = try await StripeReplay(sequence, ledger: MemoryBillingLedger())
        for event in sequence.events.sorted(by: { $0.position < $1.position }) {
            world.clock.set(event.created)
            _ = try await world.deliver([event])
        }
        world.clock.set(sequence.now)
        #expect(try await world.end() == later, "\(sequence)")
    }
}

extension StripeReplayTests {
    private func end(
        of sequence: StripeSequence, in order: [ProviderEvent], over ledger: any BillingLedger
    ) async throws -> StripeReplay.End {
        let world = try await StripeReplay(sequence, ledger: ledger)
        world.clock.set(sequence.now)
        _ = try await world.deliver(order)
        return try await world.end()
    }
}
