// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import GRDB
internal import Metrics
internal import Persistence
internal import TestSupport
internal import Testing

extension StoresInPostgreSQL {
    /// Accounts in a file come into a database as they were.
    @Suite struct BillingImportTests {
        private let directory: TemporaryDirectory
        private let clock = ManualClock()
        private static let accounts = ["acme", "ünï", "zero"]
        /// Longer than what an index holds whole.
        private static let long = String(repeating: "long/", count: 50)
        private static let uuid = "0198c0de-1234-7abc-8def-0123456789ab"

        init() throws { directory = try TemporaryDirectory() }

        private var path: String { directory.path("tollgate.sqlite") }

        private func service(_ ledger: any BillingLedger) throws -> BillingService {
            let catalogue = try PlanCatalogue.read(YAMLText.json(BuiltInPlans.plansYAML))
            let prices = try PriceList.read(YAMLText.json(BuiltInPrices.pricesYAML))
            return BillingService(
                ledger: ledger, plans: PlanBook(catalogue), prices: PriceBook(prices), clock: clock,
                metricsFactory: NOOPMetricsHandler.instance)
        }

        /// A history of every kind of row, through the engine where it writes them.
        private func fill() async throws -> SQLiteStore {
            let store = try SQLiteStore(path: path, clock: clock)
            let ledger = SQLiteBillingLedger(store)
            let service = try service(ledger)
            for account in Self.accounts {
                try await use(service, account)
            }
            try await ledger.transact("acme") { transaction in
                try transaction.link(customer: "cus_1")
                #expect(try transaction.tie(purchases: ["pi:1"], to: "cs:1"))
                try transaction.put(NamedRow(kind: .webhookEndpoint, name: "e1", document: #"{"ä":1}"#))
                try transaction.add([
                    DeliveryRow(
                        id: "d1", account: "acme", endpoint: "e1", message: "m", type: "billing.alert", body: "{}",
                        attempts: 2, nextAt: Timestamp(seconds: 9), lastStatus: 500, createdAt: Timestamp(seconds: 1))
                ])
                try transaction.put(
                    SlotRow(kind: .workspace, id: Self.long, order: 7, document: "{}"))
            }
            try await ledger.putInstallationDocuments([("prices", #"{"revision":"r"}"#)])
            _ = try await ledger.addPending([
                PendingUsageRow(id: "p1", account: "later", payload: "[]", receivedAt: Timestamp(seconds: 5))
            ])
            for state in ProviderEventRow.State.allCases {
                try await ledger.finish(
                    ProviderEventRow(
                        id: "evt_\(state.rawValue)", type: "invoice.paid", created: Timestamp(seconds: 3),
                        state: state, outcome: "processed", account: "acme", customer: "cus_1",
                        subscription: "sub_1", document: #"{"id":"x"}"#, attempts: 1,
                        receivedAt: Timestamp(seconds: 4)))
            }
            return store
        }

        private func use(_ service: BillingService, _ account: String) async throws {
            let order = GrantOrder(key: "bought", microCredits: 5_000_000_000, source: .purchase, reason: "test")
            _ = try await service.grant(order, account: account, actor: "olga")
            for number in 0..<3 as Range<Int64> {
                let key = number == 0 ? Self.long : number == 1 ? "gw/\(Self.uuid)" : "plain"
                let held = try await service.reserve(
                    try ReservationRequest.read(["key": .string(key), "micro_credits": .int(1000 + number)]),
                    account: account)
                guard number < 2 else { continue }
                _ = try await service.release(held.reservation.id, account: account)
            }
            for (index, id) in [Self.uuid, Self.long, "plain", "again"].enumerated() {
                _ = try await service.recordTokenUsage(
                    account: account, model: "gpt-4o-mini", counts: TokenCounts(input: 1000, output: Int64(index)),
                    at: clock.now(), key: id)
            }
            _ = try await service.put(
                Budget(name: "b", scope: .tenant, period: .daily, hardLimitMicroUSD: 1_000_000), isNew: true,
                account: account, actor: "olga")
            clock.advance(seconds: 60)
        }

        /// Everything that is kept of an account, as text.
        private static func kept(_ ledger: any BillingLedger, _ account: String) async throws -> [String] {
            try await ledger.read(account) { reader in
                var lines = ["\(try reader.account() as Any)"]
                lines += try reader.grants(before: nil, limit: 999).map { "\($0)" }
                lines += try reader.entries(before: nil, limit: 999).map { "\($0)" }
                lines += try reader.usage(UsageQuery(limit: 999)).map { "\($0)" }
                for key in [Self.long, "gw/\(Self.uuid)", "plain"] {
                    lines.append("\(try reader.reservation(key: key) as Any)")
                }
                lines.append("\(try reader.endedReservations(at: .latest, limit: 99))")
                for kind in SlotRow.Kind.allCases {
                    lines += try reader.slots(kind, after: 0, limit: 99).map { "\($0)" }
                }
                for granularity in UsageWindowDelta.Granularity.allCases {
                    lines += try reader.windows(
                        granularity, from: Timestamp(seconds: 0), to: .latest, by: Set(UsageDimension.allCases)
                    ).map { "\($0)" }
                }
                let day = UsageWindowDelta.Granularity.day
                for row in try reader.usage(UsageQuery(limit: 9)) {
                    for dimension in UsageDimension.allCases {
                        let values = try reader.dimensionValues(
                            dimension, day: day.start(of: row.at), among: ["gpt-4o-mini"])
                        lines.append("\(values)")
                    }
                }
                lines += try reader.customers()
                for kind in NamedRow.Kind.allCases {
                    lines += try reader.named(kind, after: nil, limit: 99).map { "\($0)" }
                }
                lines += try reader.deliveries(endpoint: "e1", before: nil, limit: 99).map { "\($0)" }
                lines += try reader.providerEvents(subscription: "sub_1").map { "\($0)" }.sorted()
                return lines
            }
        }

        @Test func bringsAccountsOverAsTheyWere() async throws {
            let file = try await fill()
            let before = SQLiteBillingLedger(file)
            let target = try await DatabaseSupport.migrated()
            let report = try await DatabaseSupport.withAdministration(target.adminURL) {
                try await StoreImport($0).run(from: path)
            }
            let rows = Dictionary(uniqueKeysWithValues: report.tables.map { ($0.name, $0.rows) })
            #expect(rows["billing_accounts"] == 3 && rows["billing_usage"] == 12 && rows["billing_usage_keys"] == 12)
            #expect(rows["billing_reservations"] == 9 && rows["billing_provider_events"] == 5)
            #expect(rows["billing_pending_usage"] == 1 && rows["billing_customers"] == 1)
            #expect(rows["billing_purchases"] == 1)
            try await DatabaseSupport.withPool(target.url) { pool in
                let after = PostgreSQLBillingLedger(pool)
                for account in Self.accounts {
                    let (old, new) = (try await Self.kept(before, account), try await Self.kept(after, account))
                    #expect(old.count > 20)
                    #expect(new == old)
                }
                let (old, new) = (
                    try await before.accounts(after: nil, limit: 9), try await after.accounts(after: nil, limit: 9)
                )
                #expect(new == old && new.count == 3)
                #expect(try await after.installationDocument("prices") == #"{"revision":"r"}"#)
                #expect(try await after.pendingUsage().count == 1)
                #expect(try await after.account(ofCustomer: "cus_1") == "acme")
                for state in ProviderEventRow.State.allCases {
                    #expect(
                        try await after.providerEvents(state, limit: 9) == before.providerEvents(state, limit: 9))
                }
                try await goOn(before, after)
            }
            try file.close()
        }

        /// What is there goes on: balances are the same, repeats are repeats, and new rows come behind.
        private func goOn(_ before: any BillingLedger, _ after: any BillingLedger) async throws {
            let (old, new) = (try service(before), try service(after))
            for account in Self.accounts {
                let (left, right) = (try await old.view(account), try await new.view(account))
                #expect(left.book.balance == right.book.balance && left.book.held == right.book.held)
                #expect(left.subscription == right.subscription && left.usage == right.usage)
                let entries = try await after.read(account) { try $0.entries(before: nil, limit: 9999) }
                for entry in entries { #expect(entry.legs.reduce(0) { $0 + $1.microCredits } == 0) }
                #expect(entries.map(\.sequence) == (1...Int64(entries.count)).reversed())
                for id in [Self.uuid, Self.long, "plain"] {
                    _ = try await new.recordTokenUsage(
                        account: account, model: "gpt-4o-mini", counts: TokenCounts(input: 1000), at: clock.now(),
                        key: id)
                }
                #expect(try await new.view(account).book.balance == right.book.balance)
                _ = try await new.recordTokenUsage(
                    account: account, model: "gpt-4o-mini", counts: TokenCounts(input: 1_000_000), at: clock.now(),
                    key: "new")
                #expect(try await new.view(account).book.balance == right.book.balance - 15_000_000)
                let newest = try await after.read(account) { try $0.usage(UsageQuery(limit: 1)) }
                #expect(newest.map(\.amounts.input) == [1_000_000])
            }
        }

        @Test func refusesASecondTimeAndWhatIsOfNobody() async throws {
            try await fill().close()
            let target = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withAdministration(target.adminURL) { pool in
                _ = try await StoreImport(pool).run(from: path)
                let fault = await #expect(throws: StoreImportError.self) {
                    _ = try await StoreImport(pool).run(from: path)
                }
                #expect(fault?.code == .notEmpty && fault?.message.contains("billing_entries") == true)
            }
            #expect(try await target.run("SELECT count(*) FROM tollgate.billing_accounts") == "3")
            let queue = try DatabaseQueue(path: path)
            try await queue.write { db in
                try db.execute(sql: "UPDATE billing_grants SET account = 999 WHERE account = 1")
            }
            try queue.close()
            let empty = try await DatabaseSupport.migrated()
            try await DatabaseSupport.withAdministration(empty.adminURL) { pool in
                let fault = await #expect(throws: StoreImportError.self) {
                    _ = try await StoreImport(pool).run(from: path)
                }
                #expect(fault?.code == .unreadable && fault?.message == "A grant is of no account")
            }
            #expect(try await empty.run("SELECT count(*) FROM tollgate.billing_accounts") == "0")
        }
    }
}
