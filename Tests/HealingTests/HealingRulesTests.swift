// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

@Suite struct HealingRulesTests {
    private static func rule(_ changes: JSONObject = [:], action: JSONValue? = nil) -> JSONValue {
        var rule: JSONObject = [
            "name": "r", "match": ["alertname": "A"],
            "action": action ?? [
                "type": "delete-pod",
                "target": ["kind": "Pod", "namespace": "${labels.namespace}", "name": "${labels.pod}"],
            ],
        ]
        for change in changes.members { rule[change.name] = change.value }
        return ["version": 1, "rules": [.object(rule)]]
    }

    @Test func readsARule() throws {
        let rules = try HealingRules.read(
            Self.rule(["cooldown": "5m", "verifyWithin": "0s", "notify": ["slack", "pagerduty", "slack"]]))
        #expect(
            rules.rules == [
                HealingRule(
                    name: "r", alertNames: ["A"], action: .deletePod,
                    target: TargetTemplate(kind: .pod, namespace: .label("namespace"), name: .label("pod")),
                    cooldown: 300, verifyWithin: 0, channels: [.slack, .pagerduty])
            ])
    }

    @Test(
        arguments: [
            (rule(["name": ""]), "rules[0].name: expected a text of 1 to 128 bytes"),
            (
                rule(["when": "x"]),
                "rules[0].when: there is no such field; known are name, match, action, cooldown, verifyWithin, notify"
            ),
            (
                rule(["cooldown": "25h"]),
                "rules[0].cooldown: expected a duration in whole seconds such as 30s or 5m, at most 24h"
            ),
            (
                rule(["cooldown": 300]),
                "rules[0].cooldown: expected a duration in whole seconds such as 30s or 5m, at most 24h"
            ),
            (rule(["notify": ["sms"]]), "rules[0].notify[0]: expected one of slack, pagerduty, webhook"),
            (rule(["match": ["alertname": 1]]), "rules[0].match.alertname: expected a text or a list of texts"),
            (
                rule(action: ["type": "shell", "command": "reboot"]),
                "rules[0].action.command: there is no such field; known are type, target"
            ),
            (
                rule(action: [
                    "type": "rollout-restart", "target": ["kind": "DaemonSet", "namespace": "n", "name": "x"],
                ]),
                "rules[0].action.target.kind: expected Deployment or StatefulSet"
            ),
            (
                rule(action: [
                    "type": "delete-pod", "target": ["kind": "Pod", "namespace": "n", "name": "x-${labels.pod}"],
                ]),
                "rules[0].action.target.name: expected an RFC 1123 name, or ${labels.NAME} as the whole value"
            ),
            (
                rule(action: ["type": "cordon", "target": ["kind": "Node", "namespace": "n", "name": "n1"]]),
                "rules[0].action.target.namespace: a Node lies in no namespace"
            ),
            (
                rule(action: [
                    "type": "scale", "target": ["kind": "Deployment", "namespace": "n", "name": "x"], "by": 2,
                ]),
                "rules[0].action: by needs min and max, with min at most max"
            ),
            (
                rule(action: ["type": "scale", "target": ["kind": "Deployment", "namespace": "n", "name": "x"]]),
                "rules[0].action: scale needs either replicas or by"
            ),
            (
                rule(action: ["type": "notify", "target": ["kind": "Pod"]]),
                "rules[0].action.target: notify has no target"
            ),
            (["version": 2, "rules": []], "version: expected 1"),
            (["version": 1], "rules: expected a list of rules"),
            ([], "document: expected an object with version and rules"),
        ] as [(JSONValue, String)])
    func refusesABrokenFile(_ document: JSONValue, _ message: String) {
        #expect {
            try HealingRules.read(document)
        } throws: { error in
            guard let error = error as? RulesError else { return false }
            if error.faults.first?.description != message { Issue.record("\(error)") }
            return true
        }
    }

    @Test func wantsUniqueNames() {
        let one = Self.rule()["rules"]?.arrayValue ?? []
        #expect {
            try HealingRules.read(["version": 1, "rules": .array(one + one)])
        } throws: { "\($0)" == "rules[1].name: another rule has the name r: names are unique" }
    }

    @Test func wantsAtMostTwoHundredRules() {
        let rules = (0..<201).compactMap { number in
            Self.rule(["name": .string("r\(number)")])["rules"]?.arrayValue?.first
        }
        #expect(throws: Never.self) {
            try HealingRules.read(["version": 1, "rules": .array(Array(rules.prefix(200)))])
        }
        #expect {
            try HealingRules.read(["version": 1, "rules": .array(rules)])
        } throws: { "\($0)" == "rules: there are 201 rules; at most 200 are allowed" }
    }

    @Test(
        arguments: [
            (["namespace": "crm", "pod": "p-0"], "pod/crm/p-0"), (["namespace": "other", "pod": "p-0"], nil),
            (["namespace": "crm"], nil), (["namespace": "crm", "pod": "../x"], nil),
            (["namespace": "crm", "pod": "P"], nil),
            (["namespace": "crm.x", "pod": "p"], nil), (["namespace": "crm", "pod": "a.b"], "pod/crm/a.b"),
            (["namespace": "crm", "pod": ""], nil),
            (["namespace": "crm", "pod": String(repeating: "a", count: 64)], nil),
        ] as [([String: String], String?)])
    func putsLabelsIn(_ labels: [String: String], _ target: String?) throws {
        let template = TargetTemplate(kind: .pod, namespace: .label("namespace"), name: .label("pod"))
        #expect(template.resolve(labels, allowed: ["crm", "crm.x"])?.text == target)
    }

    @Test func keepsScalesInTheirBounds() {
        #expect(HealingAction.Scale.by(2, minimum: 1, maximum: 4).wanted(from: 3) == 4)
        #expect(HealingAction.Scale.by(-5, minimum: 1, maximum: 4).wanted(from: 3) == 1)
        #expect(HealingAction.Scale.by(1, minimum: 1, maximum: 4).wanted(from: .max) == 4)
        let target = HealingTarget(kind: .deployment, namespace: "crm", name: "w")
        #expect(HealingAction.scale(.by(2, minimum: 1, maximum: 4)).command(target) == "scale deployment/crm/w by +2")
        #expect(HealingAction.scale(.to(5)).command(target) == "scale deployment/crm/w to 5")
    }

    /// A changed document is read or refused, and what is read holds its bounds.
    @Test func survivesAnything() {
        let random = SeededRandom(seed: 63)
        let leaves: [JSONValue] = [
            .null, true, 0, -1, .int(.max), .double(1.5), "", "x", "${labels.a}", "0s", [], [:], "scale", "Pod",
        ]
        func changed(_ value: JSONValue) -> JSONValue {
            if random.below(12) == 0 { return leaves[random.below(leaves.count)] }
            switch value {
            case .array(let elements): return .array(elements.map(changed))
            case .object(let object): return .object(JSONObject(object.members.map { ($0.name, changed($0.value)) }))
            default: return value
            }
        }
        for _ in 0..<FuzzCases.count(3000) {
            guard let rules = try? HealingRules.read(changed(Self.rule(["cooldown": "5m", "notify": ["slack"]]))) else {
                continue
            }
            for rule in rules.rules {
                #expect(!rule.alertNames.isEmpty && (rule.target != nil) == rule.action.actsOnCluster)
                #expect((0...86_400).contains(rule.cooldown ?? 0) && (0...3600).contains(rule.verifyWithin))
            }
        }
    }
}
