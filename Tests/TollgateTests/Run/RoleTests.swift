// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Foundation
internal import HTTPService
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// What each role does, and what a worker says of itself.
@Suite struct RoleTests {
    @Test(
        arguments: [
            (.all, true, true, true), (.api, false, true, false), (.worker, true, false, false),
            (.controller, false, false, true),
        ] as [(ProcessRole, Bool, Bool, Bool)])
    func doesItsWork(_ role: ProcessRole, works: Bool, decides: Bool, mayLead: Bool) {
        #expect(role.works == works)
        #expect(role.decides == decides)
        #expect(role.mayLead == mayLead)
    }

    @Test func aWorkerIsReadyOnceSomethingWentWell() {
        struct Away: Error {}
        let readiness = WorkerReadiness(redis: nil)
        func status(_ name: String) -> ReadinessCheck? { readiness.checks().first { $0.name == name } }
        #expect(status("listener")?.status == .failed)
        #expect(status("work") == ReadinessCheck(name: "work", status: .failed, detail: "no round is over yet"))
        readiness.listening()
        readiness.ended("accounts", Away())
        #expect(status("listener")?.status == .ok)
        #expect(status("work") == ReadinessCheck(name: "work", status: .failed, detail: "accounts: Away()"))
        readiness.ended("webhooks", nil)
        #expect(status("work") == ReadinessCheck(name: "work", status: .degraded, detail: "accounts: Away()"))
        readiness.ended("accounts", nil)
        #expect(status("work") == ReadinessCheck(name: "work", status: .ok))
        #expect(!readiness.isDraining)
        readiness.drain()
        #expect(readiness.isDraining)
        #expect(status("draining")?.status == .failed)
    }

    @Test func aProcessBindsOnlyWhatItServes() throws {
        let settings = try TollgateSettings.load(
            SettingsSources(
                environment: [
                    "HOME": "/home/me", "TOLLGATE_LISTEN": "192.0.2.1:1", "TOLLGATE_DECISION_LISTEN": "192.0.2.1:2",
                    "TOLLGATE_PROBE_LISTEN": "127.0.0.1:0",
                ]), host: HostFacts(hostName: "host", workingDirectory: "/srv"))
        for (role, names) in [
            (.all, ["TOLLGATE_LISTEN", "TOLLGATE_DECISION_LISTEN"]), (.controller, ["TOLLGATE_LISTEN"]), (.worker, []),
        ] as [(ProcessRole, [String])] {
            var message = ""
            do {
                try ListenerCheck.run(settings.listeners, role: role)
            } catch let problem as StartupProblem {
                message = problem.description
            }
            let told = message.split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
            #expect(told == names, "\(role)")
        }
    }
}

/// The accounts of a development server.
@Suite struct DevnetTests {
    private static let now = Timestamp(seconds: 1_772_366_400 + 12_345)

    private static func seeded(_ plansFile: String? = nil) async throws -> (BillingService, [DevnetAccount]) {
        let catalogues = try BillingCatalogues(plansFile: plansFile, pricesFile: nil)
        let (plans, prices) = (PlanBook(catalogues.plans), PriceBook(catalogues.prices))
        let ledger = MemoryBillingLedger()
        let accounts = DevnetAccount.all(catalogues.plans, now: now)
        try await DevnetSeed(
            ledger: ledger, plans: plans, prices: prices, settings: BillingSettings(), now: now
        ).run(accounts)
        let service = BillingService(
            ledger: ledger, plans: plans, prices: prices, clock: ManualClock(now), metricsFactory: PrometheusRegistry())
        return (service, accounts)
    }

    @Test(arguments: [nil, Repository.root.appending(path: "plans/plans-five-tier.yaml").path])
    func haveAMonthOfUsageOnPlansOfTheCatalogue(_ plansFile: String?) async throws {
        let (service, accounts) = try await Self.seeded(plansFile)
        #expect(accounts.map(\.name) == ["demo-free", "demo-pro", "demo-enterprise"])
        #expect(accounts.map(\.plan.rank) == accounts.map(\.plan.rank).sorted())
        for account in accounts {
            let view = try await service.view(account.name)
            #expect(view.standing.plan.name == account.plan.name)
            let series = try await service.series(
                SeriesRequest.read(["granularity": "day"], now: Self.now), account: account.name)
            let days = series["buckets"]?.arrayValue ?? []
            #expect(days.count == 31, "\(account.name)")
            #expect(days.allSatisfy { ($0["requests"]?.intValue ?? 0) > 0 || $0 == days.last }, "\(account.name)")
            let limit = account.plan.limits.tokensPerDay ?? .max
            #expect(days.allSatisfy { ($0["tokens"]?["total"]?.intValue ?? 0) <= limit })
            let forecast = try await service.forecast(account.name).json
            #expect(forecast["confidence"] == "high", "\(account.name): \(forecast)")
            #expect((forecast["used_micro_credits"]?.intValue ?? 0) > 0)
        }
    }

    @Test func areDifferentToLookAt() async throws {
        let (service, _) = try await Self.seeded()
        let pro = try await service.forecast("demo-pro").json
        #expect(pro["exhausted_at"] != .null, "its credits end before the period")
        let free = try await service.forecast("demo-free").json
        #expect(free["exhausted_at"] == .null)
        #expect(try await service.budgets("demo-pro").first?.spentMicroUSD ?? 0 > 0)
    }
}
