// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import SelfManagement
internal import TestSupport
internal import Testing

@Suite struct HealthPlannerTests {
    private static let start = Timestamp(seconds: 1_770_000_000)
    private let planner = HealthPlanner()

    private static func pods(_ text: String) -> [JudgedPod] {
        text.split(separator: " ").map { word in
            let parts = word.split(separator: ":").map(String.init)
            let stalled = Duration.seconds(parts.count > 2 ? Int64(parts[2]) ?? 0 : 0)
            let verdict =
                switch parts[1] {
                case "ready": PodVerdict(.healthy, .ready)
                case "starting": PodVerdict(.healthy, .starting)
                case "going": PodVerdict(.ignored, .terminating)
                case "failed": PodVerdict(.unhealthy, .failed, .delete)
                case "stuck": PodVerdict(.unhealthy, .stuckTerminating, .report)
                default: PodVerdict(.unhealthy, .crashLoopBackOff, .evict)
                }
            return JudgedPod(name: parts[0], verdict: verdict, stalled: stalled)
        }
    }

    /// Pods, whether a rollout runs, and the plan.
    @Test(arguments: [
        ("a:ready b:ready", false, HealthPlan(.none)),
        ("a:ready b:failed", false, HealthPlan(.none, deletes: ["b"])),
        ("a:ready c:failed b:failed", true, HealthPlan(.none, deletes: ["b", "c"])),
        ("a:ready b:crash c:ready", true, HealthPlan(.wait)),
        ("a:crash", false, HealthPlan(.none)),
        ("a:crash b:ready c:ready", false, HealthPlan(.none)),
        ("a:crash b:crash", false, HealthPlan(.rollingRestart)),
        ("a:ready b:crash", false, HealthPlan(.evict, pod: "b")),
        ("a:ready b:crash:5 c:crash:9 d:ready e:ready", false, HealthPlan(.evict, pod: "c")),
        ("a:ready c:crash:9 b:crash:9 d:ready e:ready", false, HealthPlan(.evict, pod: "b")),
        ("a:ready b:crash c:starting", false, HealthPlan(.wait)),
        ("a:ready b:crash c:ready d:going", false, HealthPlan(.wait)),
        ("a:ready b:crash c:ready d:stuck", false, HealthPlan(.evict, pod: "b")),
        // One that goes does not count: of two one is not more than half.
        ("a:ready b:crash d:going e:going", false, HealthPlan(.wait)),
    ])
    func plans(pods: String, isRollingOut: Bool, expected: HealthPlan) {
        let (plan, memory) = planner.plan(
            Self.pods(pods), isRollingOut: isRollingOut, ownPod: "a", memory: HealingMemory(), at: Self.start)
        #expect(plan == expected)
        #expect(memory.evictions.count == (expected.action == .evict ? 1 : 0))
        #expect(memory.restarts == (expected.action == .rollingRestart ? 1 : 0))
    }

    @Test func deletesAtMostTenAtOnce() {
        let text = (10..<30).map { "p\($0):failed" }.joined(separator: " ")
        let (plan, _) = planner.plan(
            Self.pods(text), isRollingOut: false, ownPod: "a", memory: HealingMemory(), at: Self.start)
        #expect(plan.deletes == (10..<20).map { "p\($0)" })
    }

    @Test func doublesThePauseUpToADay() {
        var memory = HealingMemory()
        memory.lastRestart = Self.start
        for (restarts, hours) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (64, 24)] {
            memory.restarts = restarts
            #expect(planner.nextRestart(memory) == Self.start.adding(seconds: Int64(hours) * 3600))
        }
        #expect(planner.nextRestart(HealingMemory()) == nil)
    }

    @Test func halfAnHourWithoutAFaultIsAnotherBeginning() {
        var memory = HealingMemory()
        memory.restarts = 3
        memory.lastRestart = Self.start
        func look(_ pods: String, _ seconds: Int64) {
            memory =
                planner.plan(
                    Self.pods(pods), isRollingOut: false, ownPod: "a", memory: memory,
                    at: Self.start.adding(seconds: seconds)
                ).memory
        }
        look("a:ready b:ready", 100)
        look("a:ready b:ready", 1899)
        #expect(memory.restarts == 3)
        // A fault in between, whatever it is, and the time counts anew.
        look("a:ready b:failed", 1899)
        look("a:ready b:ready", 1900)
        look("a:ready b:ready", 3699)
        #expect(memory.restarts == 3)
        look("a:ready b:ready", 3700)
        #expect(memory.isEmpty)
    }

    @Test func whatIsRememberedSurvivesItsText() {
        var memory = HealingMemory()
        memory.evictions = [Self.start, Self.start.adding(seconds: 30)]
        memory.restarts = 2
        memory.lastRestart = Self.start
        memory.healthySince = Self.start.adding(seconds: 40)
        memory.scaledAt = Self.start
        let read = HealingMemory(reading: memory.text, at: Self.start.adding(seconds: 60), budget: 3)
        #expect(read == memory)
        #expect(read.text == memory.text)
        #expect(HealingMemory(reading: nil, at: Self.start, budget: 3).isEmpty)
    }

    @Test(arguments: [
        "", "{}", "[]", "null", #"{"evictions":{}}"#, "{\"evictions\":[]", String(repeating: "a", count: 5000),
    ])
    func aMemoryThatCannotBeReadIsUsedUp(text: String) {
        let memory = HealingMemory(reading: text, at: Self.start, budget: 3)
        #expect(planner.evictionsLeft(memory, at: Self.start) == 0)
    }

    @Test func timesThatHaveNotComeHoldNoLongerThanOthers() {
        let text = #"{"evictions":["2099-01-01T00:00:00Z"],"restarts":1,"last_restart":"2099-01-01T00:00:00Z"}"#
        let memory = HealingMemory(reading: text, at: Self.start, budget: 3)
        #expect(memory.evictions == [Self.start] && memory.lastRestart == Self.start)
    }

    /// Whatever happens, there are never more acts than the budgets allow.
    @Test func neverExceedsItsBudgets() {
        let random = SeededRandom(seed: 7)
        let words = ["ready", "ready", "crash", "failed", "starting", "going"]
        for _ in 0..<FuzzCases.count(50) {
            var memory = HealingMemory()
            var evictions: [Int64] = []
            var restarts: [Int64] = []
            var second: Int64 = 0
            for _ in 0..<300 {
                second += Int64(random.below(120))
                let now = Self.start.adding(seconds: second)
                let pods = Self.pods(
                    (0..<(1 + random.below(6))).map { "p\($0):\(words[random.below(words.count)])" }
                        .joined(separator: " "))
                // As another leader reads it.
                let read = HealingMemory(reading: memory.isEmpty ? nil : memory.text, at: now, budget: 3)
                let (plan, next) = planner.plan(
                    pods, isRollingOut: false, ownPod: "p0", memory: read, at: now)
                memory = next
                if plan.action == .evict { evictions.append(second) }
                if plan.action == .rollingRestart { restarts.append(second) }
                #expect(plan.pod != "p0")
            }
            for index in evictions.indices.dropFirst(3) { #expect(evictions[index] - evictions[index - 3] >= 600) }
            for index in restarts.indices.dropFirst(1) { #expect(restarts[index] - restarts[index - 1] >= 1800) }
        }
    }
}
