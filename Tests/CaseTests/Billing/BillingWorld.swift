// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Metrics
internal import TestSupport
internal import Testing

/// One account in a service over a ledger in memory.
final class BillingWorld: Sendable {
    static let account = "acme"
    static let uid = "object"

    let clock: ManualClock
    let ledger = MemoryBillingLedger()
    let service: BillingService

    init(at start: Timestamp, catalogue: PlanCatalogue) throws {
        clock = ManualClock(start)
        service = BillingService(
            ledger: ledger, plans: PlanBook(catalogue), prices: PriceBook(try BillingKinds.prices()), clock: clock,
            metricsFactory: NOOPMetricsHandler.instance)
    }

    /// Puts a plan in force.
    func subscribe(to plan: String, anchor: Timestamp, overrides: JSONValue) async throws {
        let spec = StatedSubscription(uid: Self.uid, plan: plan, anchor: anchor, overrides: overrides)
        _ = try await service.apply(SubscriptionOrder(spec: spec), account: Self.account)
    }

    func view() async throws -> AccountView { try await service.view(Self.account) }

    /// Every grant by its id, as it is now.
    func grants() async throws -> [String: Grant] {
        let view = try await view()
        var grants = try await ledger.read(Self.account) { reader in
            try reader.grants(before: nil, limit: 1000).map { try Grant($0) }
        }.reduce(into: [:]) { $0[$1.id] = $1 }
        for grant in view.book.grants { grants[grant.id] = grant }
        return grants
    }

    /// The names of a case: the present period's grants are `subscription` and `rollover`.
    func name(_ grant: Grant, period: Timestamp) -> String {
        guard grant.origin != nil else { return grant.id }
        return grant.createdAt >= period || grant.key.hasSuffix(period.rfc3339) ? grant.source.rawValue : grant.id
    }
}

/// Micro-credits as a catalogue writes them.
func creditText(_ microCredits: Int64) -> JSONValue {
    let fraction = String(microCredits % 1_000_000)
    return .string("\(microCredits / 1_000_000).\(String(repeating: "0", count: 6 - fraction.utf8.count))\(fraction)")
}
