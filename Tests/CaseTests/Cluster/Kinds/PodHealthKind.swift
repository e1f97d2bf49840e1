// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import SelfManagement
internal import TestSupport
internal import Testing

extension ClusterKinds {
    @Sendable static func podHealth(_ record: CaseRecord) async throws {
        let given = record.given
        let now = try time(given["now"])
        let rules = rules(given["settings"])
        let pod = try #require(given["pod"].flatMap(OwnPod.init))
        var history = RestartHistory()
        for observation in given["history"]?.arrayValue ?? [] {
            history.observe(
                restarts: Int(try #require(observation["restarts"]?.intValue)), at: try time(observation["at"]),
                window: rules.restartWindow)
        }
        let verdict = PodClassifier(rules).verdict(pod, history: history, at: now)
        #expect(verdict.health.rawValue == record.expect["verdict"]?.stringValue)
        #expect(verdict.reason.rawValue == record.expect["reason"]?.stringValue)
        #expect(verdict.action.rawValue == record.expect["action"]?.stringValue)
    }

    /// The usual rules with those that a case names, in seconds.
    private static func rules(_ settings: JSONValue?) -> HealthRules {
        var rules = HealthRules()
        func seconds(_ name: String) -> Duration? { settings?[name]?.intValue.map { .seconds($0) } }
        if let value = seconds("not_ready_after") { rules.notReadyAfter = value }
        if let value = seconds("image_pull_after") { rules.imagePullAfter = value }
        if let value = seconds("pending_after") { rules.pendingAfter = value }
        if let value = settings?["restarts"]?.intValue { rules.restarts = Int(value) }
        if let value = seconds("restart_window") { rules.restartWindow = value }
        return rules
    }
}
