// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import SelfManagement
internal import TestSupport
internal import Testing

@Suite struct PodClassifierTests {
    private static let now = Timestamp(seconds: 1_770_000_000)

    private static func ago(_ seconds: Int64) -> JSONValue { .string(now.adding(seconds: -seconds).rfc3339) }

    private static func pod(
        _ status: JSONValue, created: Int64 = 10_000, annotations: JSONValue = [:], deleted: Int64? = nil
    ) throws -> OwnPod {
        var metadata: JSONObject = [
            "name": "a", "uid": "1", "creationTimestamp": ago(created), "annotations": annotations,
        ]
        if let deleted { metadata["deletionTimestamp"] = ago(deleted) }
        return try #require(OwnPod(["metadata": .object(metadata), "status": status]))
    }

    private static func notReady(_ seconds: Int64, phase: String = "Running", waiting: String? = nil) -> JSONValue {
        var status: JSONObject = [
            "phase": .string(phase),
            "conditions": [["type": "Ready", "status": "False", "lastTransitionTime": ago(seconds)]],
        ]
        if let waiting {
            status["initContainerStatuses"] = [["name": "i", "state": ["waiting": ["reason": .string(waiting)]]]]
        }
        return .object(status)
    }

    /// The boundary of every time: exactly so long is not over yet.
    @Test(
        arguments: [
            (notReady(120), PodVerdict(.healthy, .starting)),
            (notReady(121), PodVerdict(.unhealthy, .notReady, .evict)),
            (notReady(600, phase: "Pending"), PodVerdict(.healthy, .starting)),
            (notReady(601, phase: "Pending"), PodVerdict(.unhealthy, .stuckPending, .evict)),
            (notReady(300, waiting: "InvalidImageName"), PodVerdict(.healthy, .starting)),
            (notReady(301, waiting: "InvalidImageName"), PodVerdict(.unhealthy, .containerConfig, .report)),
            (notReady(301, waiting: "ErrImageNeverPull"), PodVerdict(.unhealthy, .containerConfig, .report)),
            (notReady(300, waiting: "RegistryUnavailable"), PodVerdict(.healthy, .starting)),
            (notReady(301, waiting: "ImageInspectError"), PodVerdict(.unhealthy, .imagePullBackOff, .evict)),
            (notReady(1, waiting: "CrashLoopBackOff"), PodVerdict(.unhealthy, .crashLoopBackOff, .evict)),
            (.object(["phase": "Succeeded"]), PodVerdict(.unhealthy, .completed, .delete)),
            (.object(["phase": "Failed", "reason": "NodeLost"]), PodVerdict(.unhealthy, .failed, .delete)),
        ] as [(JSONValue, PodVerdict)])
    func judges(status: JSONValue, expected: PodVerdict) throws {
        let verdict = PodClassifier(HealthRules()).verdict(
            try Self.pod(status), history: RestartHistory(), at: Self.now)
        #expect(verdict == expected)
    }

    @Test func leavesAloneWhatItsOwnerWantsLeftAlone() throws {
        let rules = PodClassifier(HealthRules())
        for status: JSONValue in [["phase": "Failed"], Self.notReady(500)] {
            let pod = try Self.pod(status, annotations: ["tollgate.dev/heal": "false"])
            #expect(rules.verdict(pod, history: RestartHistory(), at: Self.now).action == .report)
        }
    }

    @Test func deletesByForceOnlyWhenTold() throws {
        var rules = HealthRules()
        let pod = try Self.pod(["phase": "Running"], deleted: 61)
        #expect(PodClassifier(rules).verdict(pod, history: RestartHistory(), at: Self.now).action == .report)
        rules.forcesDeletion = true
        #expect(PodClassifier(rules).verdict(pod, history: RestartHistory(), at: Self.now).action == .forceDelete)
        let inTime = try Self.pod(["phase": "Running"], deleted: 60)
        #expect(PodClassifier(rules).verdict(inTime, history: RestartHistory(), at: Self.now).health == .ignored)
    }

    @Test func countsRestartsOfMainContainersInTheWindow() throws {
        var history = RestartHistory()
        let window = Duration.seconds(600)
        #expect(history.growth(to: 7, at: Self.now, window: window, createdAt: Self.now.adding(seconds: -599)) == 7)
        #expect(history.growth(to: 7, at: Self.now, window: window, createdAt: Self.now.adding(seconds: -601)) == nil)
        history.observe(restarts: 3, at: Self.now.adding(seconds: -300), window: window)
        #expect(history.growth(to: 7, at: Self.now, window: window, createdAt: Self.now.adding(seconds: -601)) == 4)
        // The one at the very start of the window is its base.
        history = RestartHistory()
        for (seconds, restarts) in [(1200, 0), (600, 2), (590, 5)] {
            history.observe(restarts: restarts, at: Self.now.adding(seconds: -Int64(seconds)), window: window)
        }
        #expect(history.growth(to: 7, at: Self.now, window: window, createdAt: nil) == 5)
    }

    @Test func remembersNoMoreThanItNeeds() {
        var history = RestartHistory()
        for second in 0..<5000 {
            history.observe(
                restarts: second / 7, at: Self.now.adding(seconds: Int64(second) * 30), window: .seconds(600))
            #expect(history.observations.count <= 64)
        }
    }

    @Test func readsAnything() {
        let fuzz = DocumentFuzz(seed: 51)
        for _ in 0..<FuzzCases.count(2000) {
            let document = fuzz.document()
            if let pod = OwnPod(document) {
                _ = PodClassifier(HealthRules()).verdict(pod, history: RestartHistory(), at: Self.now)
            }
            _ = OwnDeployment(document)?.isRollingOut
            let memory = HealingMemory(
                reading: String(decoding: document.encoded(), as: UTF8.self), at: Self.now, budget: 3)
            // What is no memory lifts no limit.
            #expect(document["evictions"]?.arrayValue != nil || memory.evictions.count == 3)
        }
    }
}
