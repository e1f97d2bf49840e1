// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// Counts entries of the ledger by their kind, whoever posts them. Every label value exists from the start.
struct LedgerEntryMetrics: Sendable {
    private let counters: [LedgerEntry.Kind: Counter]

    init(factory: any MetricsFactory) {
        counters = Dictionary(
            uniqueKeysWithValues: LedgerEntry.Kind.allCases.map { kind in
                let counter = Counter(
                    label: "tollgate_billing_ledger_entries_total", dimensions: [("type", kind.rawValue)],
                    factory: factory)
                counter.increment(by: 0)
                return (kind, counter)
            })
    }

    func wrote(_ kinds: [LedgerEntry.Kind]) { for kind in kinds { counters[kind]?.increment() } }
}
