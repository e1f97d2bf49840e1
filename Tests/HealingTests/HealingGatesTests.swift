// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

@Suite struct HealingGatesTests {
    private static let start = Timestamp(seconds: 1_772_366_400)
    private static let rules = HealingRules([
        HealingRule(
            name: "restart", alertNames: ["A"], action: .rolloutRestart,
            target: TargetTemplate(kind: .deployment, namespace: .text("crm"), name: .label("app"))),
        HealingRule(
            name: "own cooldown", alertNames: ["TcpEndpointDownFast"], action: .rolloutRestart,
            target: TargetTemplate(kind: .deployment, namespace: .text("crm"), name: .label("app")), cooldown: 5),
        HealingRule(name: "tell", alertNames: ["N"], action: .notify),
    ])

    private static func alert(_ name: String = "A", app: String = "api", fingerprint: String = "f") -> Alert {
        Alert(
            status: "firing", labels: ["alertname": name, "app": app], isOptedIn: true, startsAt: "t",
            fingerprint: fingerprint)
    }

    private static func settings(_ change: (inout HealingSettings) -> Void = { _ in }) -> HealingSettings {
        var settings = HealingSettings(isEnabled: true, isDryRun: false, namespaces: ["crm"])
        change(&settings)
        return settings
    }

    /// Decides at that second; what is decided to be done succeeds at once.
    private static func step(
        _ gates: inout HealingGates, _ alert: Alert, at second: Int64, settings: HealingSettings = settings(),
        succeeds: Bool? = true
    ) -> String {
        let now = start.adding(seconds: second)
        let id = "\(second)-\(alert.fingerprint)"
        switch gates.judge(alert, rules: rules, settings: settings, id: id, at: now) {
        case .skip(let skip):
            return skip.reason.rawValue + (skip.remainingSeconds.map { " \($0)" } ?? "")
        case .dryRun(let plan):
            _ = gates.books.begin(BookEntry(plan: plan, isDryRun: true, state: .succeeded))
            return "dry"
        case .act(let plan):
            _ = gates.books.begin(BookEntry(plan: plan, isDryRun: false, state: .sending))
            if let succeeds { _ = gates.books.settle(id, succeeded: succeeds, at: now) }
            return "act"
        }
    }

    @Test func opensAtExactlyTheEndOfTheCooldown() {
        var gates = HealingGates()
        #expect(Self.step(&gates, Self.alert(), at: 0) == "act")
        #expect(Self.step(&gates, Self.alert(), at: 599) == "cooldown 1")
        #expect(Self.step(&gates, Self.alert(), at: 600) == "act" || Self.step(&gates, Self.alert(), at: 629) == "act")
    }

    @Test func takesARulesOwnCooldownFirst() {
        let settings = Self.settings { $0.cooldowns = ["TcpEndpointDownFast": 50, "A": 40] }
        #expect(settings.cooldown(of: Self.rules.rules[1], for: "TcpEndpointDownFast") == 5)
        #expect(settings.cooldown(of: Self.rules.rules[0], for: "A") == 40)
        #expect(settings.cooldown(of: Self.rules.rules[0], for: "B") == 600)
    }

    @Test func doesNotRenewTheWindowOfDuplicates() {
        var gates = HealingGates()
        let settings = Self.settings { $0.defaultCooldown = 0 }
        #expect(Self.step(&gates, Self.alert(), at: 0, settings: settings) == "act")
        #expect(Self.step(&gates, Self.alert(), at: 20, settings: settings) == "duplicate")
        #expect(Self.step(&gates, Self.alert(), at: 29, settings: settings) == "duplicate")
        #expect(Self.step(&gates, Self.alert(), at: 30, settings: settings) == "act")
        var other = Self.alert()
        other.startsAt = "later"
        #expect(Self.step(&gates, other, at: 31, settings: settings) == "act")
    }

    @Test func countsWhatRuns() {
        var gates = HealingGates()
        for app in ["a", "b"] {
            #expect(Self.step(&gates, Self.alert(app: app, fingerprint: app), at: 0, succeeds: nil) == "act")
        }
        #expect(Self.step(&gates, Self.alert(app: "c", fingerprint: "c"), at: 0) == "concurrency")
        #expect(Self.step(&gates, Self.alert("N", fingerprint: "n"), at: 0) == "act", "notices need no slot")
        _ = gates.books.settle("0-a", succeeded: true, at: Self.start)
        #expect(Self.step(&gates, Self.alert(app: "c", fingerprint: "c"), at: 40) == "act")
    }

    @Test func spendsTheBudgetOfTheHour() {
        var gates = HealingGates()
        let settings = Self.settings { $0.budgetPerHour = 2 }
        for (second, app) in [(0, "a"), (10, "b")] {
            let alert = Self.alert(app: app, fingerprint: app)
            #expect(Self.step(&gates, alert, at: Int64(second), settings: settings) == "act")
        }
        let third = Self.alert(app: "c", fingerprint: "c")
        #expect(Self.step(&gates, third, at: 3599, settings: settings) == "budget")
        #expect(Self.step(&gates, third, at: 3640, settings: settings) == "act")
    }

    @Test func haltsAfterFiveFailuresInARow() {
        var gates = HealingGates()
        let settings = Self.settings {
            $0.defaultCooldown = 0
            $0.budgetPerTarget = 10
        }
        for second in stride(from: Int64(0), to: 5 * 60, by: 60) {
            #expect(Self.step(&gates, Self.alert(), at: second, settings: settings, succeeds: false) == "act")
        }
        #expect(gates.books.halt?.reason == "5 failures in a row on deployment/crm/api")
        #expect(Self.step(&gates, Self.alert(app: "b", fingerprint: "b"), at: 400, settings: settings) == "halted")
        let dry = Self.settings { $0.isDryRun = true }
        #expect(Self.step(&gates, Self.alert(), at: 400, settings: dry) == "dry", "a dry run is not halted")
        let kept = HealingBooks(gates.books.records, at: Self.start.adding(seconds: 500))
        #expect(kept.halt == gates.books.halt)
        _ = gates.books.resume(at: Self.start.adding(seconds: 600))
        #expect(Self.step(&gates, Self.alert(), at: 601, settings: settings, succeeds: false) == "act")
        #expect(gates.books.halt == nil, "what was before the resumption does not count")
    }

    @Test func haltsAfterFiftyFailuresInAnHour() {
        var gates = HealingGates()
        let settings = Self.settings { $0.budgetPerHour = 200 }
        for number in 0..<50 {
            #expect(gates.books.halt == nil)
            let alert = Self.alert(app: "app-\(number)", fingerprint: "\(number)")
            #expect(Self.step(&gates, alert, at: Int64(number), settings: settings, succeeds: false) == "act")
        }
        #expect(gates.books.halt?.reason == "50 failures within an hour")
    }

    @Test func aSuccessEndsTheRow() {
        var gates = HealingGates()
        let settings = Self.settings {
            $0.defaultCooldown = 0
            $0.budgetPerTarget = 20
        }
        for second in stride(from: Int64(0), to: 10 * 60, by: 60) {
            let succeeds = second == 240
            #expect(Self.step(&gates, Self.alert(), at: second, settings: settings, succeeds: succeeds) == "act")
            if second < 540 { #expect(gates.books.halt == nil) }
        }
        #expect(gates.books.halt != nil)
    }

    /// Whatever happens, what is stored reads back as what is remembered, and its size is bounded.
    @Test func booksOutliveTheProcess() {
        let random = SeededRandom(seed: 64)
        for _ in 0..<FuzzCases.count(8) {
            var gates = HealingGates()
            var stored: [String: BookRecord] = [:]
            var second: Int64 = 0
            let settings = Self.settings {
                $0.defaultCooldown = Int64(random.below(300))
                $0.budgetPerHour = 200
                $0.budgetPerTarget = 200
                $0.concurrency = 20
            }
            for round in 0..<300 {
                second += Int64(random.below(400))
                let now = Self.start.adding(seconds: second)
                let alert = Self.alert(app: "app-\(random.below(200))", fingerprint: "\(random.below(50))")
                var use = settings
                use.isDryRun = random.below(3) == 0
                var changes: [BookChange] = []
                switch gates.judge(alert, rules: Self.rules, settings: use, id: "\(second)-x", at: now) {
                case .act(let plan):
                    changes = gates.books.begin(BookEntry(plan: plan, isDryRun: false, state: .sending))
                case .dryRun(let plan):
                    changes = gates.books.begin(BookEntry(plan: plan, isDryRun: true, state: .succeeded))
                case .skip: break
                }
                if let running = gates.books.running.first, random.below(2) == 0 {
                    changes += gates.books.settle(running.plan.id, succeeded: random.below(3) > 0, at: now).changes
                }
                if gates.books.halt != nil, random.below(4) == 0 { changes += gates.books.resume(at: now) }
                for change in changes {
                    switch change {
                    case .put(let record): stored[record.key] = record
                    case .remove(let key): stored[key] = nil
                    }
                }
                #expect(stored.count <= HealingBooks.maximumLines)
                if round % 20 == 0 { #expect(Set(stored.values) == Set(gates.books.records)) }
            }
            let now = Self.start.adding(seconds: second)
            _ = gates.books.prune(at: now)
            let read = HealingBooks(Array(stored.values), at: now)
            #expect(Set(read.records) == Set(gates.books.records))
            #expect(read.halt == gates.books.halt && read.streaks == gates.books.streaks)
        }
    }
}
