// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
internal import Essentials

/// Makes databases for the contract of ledgers.
package protocol BillingLedgerHost: Sendable {
    /// Makes an empty database, opens it for that many processes, and clears up behind the body.
    func withLedgers(_ count: Int, _ body: @Sendable ([any BillingLedger]) async throws -> Void) async throws
}

/// What every ledger must do, whichever database is behind it.
package struct BillingLedgerContract: Sendable {
    /// One thing that holds.
    package struct Behaviour: Sendable, CustomStringConvertible {
        package let description: String
        let processes: Int
        let check: @Sendable (BillingLedgerContract) async throws -> Void

        init(
            _ name: String, processes: Int = 1,
            _ check: @escaping @Sendable (BillingLedgerContract) async throws -> Void
        ) {
            description = name
            self.processes = processes
            self.check = check
        }
    }

    /// A ledger that does not keep the contract.
    package struct Broken: Error, CustomStringConvertible {
        package let description: String
    }

    /// What a body throws on purpose.
    struct Thrown: Error {}

    /// All of them.
    package static let behaviours: [Behaviour] =
        transactions + accounts + reservations + entries + usage + windows + providerEvents + outgoing + retention
        + installation

    let ledgers: [any BillingLedger]

    var ledger: any BillingLedger { ledgers[0] }

    /// Checks one behaviour on a new database.
    package static func check(_ behaviour: Behaviour, on host: any BillingLedgerHost) async throws {
        try await host.withLedgers(behaviour.processes) { ledgers in
            try await behaviour.check(BillingLedgerContract(ledgers: ledgers))
        }
    }

    // MARK: Means

    /// An instant that many seconds after the start of a day.
    static func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_772_323_200 + seconds) }

    func at(_ seconds: Int64) -> Timestamp { Self.at(seconds) }

    func hold(_ condition: Bool, _ what: String = "", line: UInt = #line, file: String = #fileID) throws {
        guard !condition else { return }
        throw Broken(description: "what \(file) says in line \(line) does not hold: \(what)")
    }

    func same<Value: Equatable>(
        _ value: Value, _ expected: Value, line: UInt = #line, file: String = #fileID
    ) throws {
        guard value != expected else { return }
        throw Broken(description: "in line \(line) of \(file) there is \(value) and not \(expected)")
    }

    func found<Value>(_ value: Value?, line: UInt = #line, file: String = #fileID) throws -> Value {
        if let value { return value }
        throw Broken(description: "what \(file) looks for in line \(line) is not there")
    }

    /// What a call fails with; nil when it does not.
    func fault(_ call: () async throws -> Void) async -> BillingStoreError.Code? {
        do {
            try await call()
            return nil
        } catch {
            return (error as? BillingStoreError)?.code
        }
    }

    func write(
        _ account: String = "acme", _ body: @escaping @Sendable (any BillingTransaction) throws -> Void
    ) async throws {
        try await ledger.transact(account, body)
    }

    // MARK: Rows

    static func entry(_ sequence: Int64, key: String? = nil) -> LedgerEntry {
        LedgerEntry(
            sequence: sequence, id: "entry-\(sequence)", key: key ?? "key-\(sequence)", kind: .settle,
            at: at(sequence), recordedAt: at(sequence), legs: [.init(.grant("g"), -5), .init(.consumed, 5)],
            balanceAfter: -sequence)
    }

    static func usage(
        _ id: String, source: String = "gateway", at seconds: Int64 = 0, received: Int64? = nil,
        _ dimensions: UsageDimensions = UsageDimensions(model: "m", user: "u"), quarantined: Bool = false
    ) -> UsageRow {
        var amounts = UsageAmounts()
        amounts.requests = 1
        amounts.input = 10
        amounts.chargeMicroUSD = 7
        return UsageRow(
            kind: "tokens", source: source, id: id, digest: String(repeating: "0a", count: 32), at: at(seconds),
            receivedAt: at(received ?? seconds), dimensions: dimensions, amounts: amounts, isQuarantined: quarantined)
    }

    static func reservation(_ id: String, key: String? = nil, endsAt: Int64? = 60) -> ReservationRow {
        ReservationRow(
            id: id, key: key ?? "key of \(id)", document: "{}", endsAt: endsAt.map(Self.at), createdAt: at(0))
    }

    static func event(
        _ id: String, _ state: ProviderEventRow.State = .claimed, created: Int64 = 0, received: Int64 = 0
    ) -> ProviderEventRow {
        ProviderEventRow(
            id: id, type: "invoice.paid", created: at(created), state: state, document: "{}",
            leaseUntil: state == .claimed ? at(60) : nil, receivedAt: at(received))
    }

    static func delivery(
        _ id: String, account: String = "acme", endpoint: String = "e", due: Int64? = 0, created: Int64 = 0
    ) -> DeliveryRow {
        DeliveryRow(
            id: id, account: account, endpoint: endpoint, message: "msg of \(id)", type: "billing.alert",
            body: #"{"type":"ä"}"#, nextAt: due.map(Self.at), createdAt: at(created))
    }
}
