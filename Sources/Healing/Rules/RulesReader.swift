// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension HealingRules {
    /// The most rules in a file.
    package static let maximumRules = 200

    /// Reads the document of a rules file.
    ///
    /// - Throws: `RulesError` with every fault and its place.
    package static func read(_ document: JSONValue) throws(RulesError) -> HealingRules {
        var reader = RulesReader()
        let rules = reader.rules(document)
        guard reader.faults.isEmpty else { throw RulesError(reader.faults) }
        return HealingRules(rules)
    }
}

/// Reads rules and collects what is wrong.
private struct RulesReader {
    typealias Step = RulesFault.Step
    var faults: [RulesFault] = []

    private mutating func fault(_ steps: [Step], _ message: String) {
        if faults.count < 64 { faults.append(RulesFault(steps, message)) }
    }

    mutating func rules(_ document: JSONValue) -> [HealingRule] {
        guard let object = document.objectValue else {
            fault([], "expected an object with version and rules")
            return []
        }
        members(object, known: ["version", "rules"], [])
        if object["version"] != .int(1) { fault([.member("version")], "expected 1") }
        guard let list = object["rules"]?.arrayValue else {
            fault([.member("rules")], "expected a list of rules")
            return []
        }
        guard list.count <= HealingRules.maximumRules else {
            fault([.member("rules")], "there are \(list.count) rules; at most \(HealingRules.maximumRules) are allowed")
            return []
        }
        var names: Set<String> = []
        return list.enumerated().compactMap { index, element in
            let place: [Step] = [.member("rules"), .element(index)]
            guard let rule = rule(element, place) else { return nil }
            if !names.insert(rule.name).inserted {
                fault(place + [.member("name")], "another rule has the name \(rule.name): names are unique")
            }
            return rule
        }
    }

    private mutating func rule(_ value: JSONValue, _ place: [Step]) -> HealingRule? {
        guard let object = value.objectValue else {
            fault(place, "expected an object")
            return nil
        }
        members(object, known: ["name", "match", "action", "cooldown", "verifyWithin", "notify"], place)
        let name = text(object, "name", place, bytes: 1...128)
        let match = match(object["match"], place + [.member("match")])
        let action = action(object["action"], place + [.member("action")])
        let cooldown = seconds(object, "cooldown", place, atMost: 86_400, shown: "24h")
        let verifyWithin = seconds(object, "verifyWithin", place, atMost: 3600, shown: "1h")
        let channels = channels(object["notify"], place + [.member("notify")])
        guard let name, let match, let action else { return nil }
        return HealingRule(
            name: name, alertNames: match.names, labels: match.labels, action: action.action, target: action.target,
            cooldown: cooldown, verifyWithin: verifyWithin ?? 120, channels: channels)
    }

    private mutating func match(
        _ value: JSONValue?, _ place: [Step]
    ) -> (names: [String], labels: [String: String])? {
        guard let object = value?.objectValue else {
            fault(place, "expected an object with alertname")
            return nil
        }
        members(object, known: ["alertname", "labels"], place)
        var names: [String] = []
        switch object["alertname"] {
        case .string(let name): names = [name]
        case .array(let list):
            names = list.compactMap(\.stringValue)
            if names.count != list.count { fault(place + [.member("alertname")], "expected a text or a list of texts") }
        default: fault(place + [.member("alertname")], "expected a text or a list of texts")
        }
        if !(1...64).contains(names.count) || !names.allSatisfy({ (1...256).contains($0.utf8.count) }) {
            fault(place + [.member("alertname")], "expected 1 to 64 names of 1 to 256 bytes")
        }
        var labels: [String: String] = [:]
        let labelsPlace = place + [.member("labels")]
        switch object["labels"] {
        case .none, .null: break
        case .object(let members) where members.count <= 32:
            for member in members.members {
                guard Self.isLabelName(member.name), let text = member.value.stringValue else {
                    fault(labelsPlace + [.member(member.name)], "expected a label name and a text (quote it)")
                    continue
                }
                labels[member.name] = text
            }
        case .some: fault(labelsPlace, "expected an object of at most 32 labels")
        }
        return (names, labels)
    }

    private mutating func action(
        _ value: JSONValue?, _ place: [Step]
    ) -> (action: HealingAction, target: TargetTemplate?)? {
        guard let object = value?.objectValue else {
            fault(place, "expected an object with type")
            return nil
        }
        let isScale = object["type"] == "scale"
        members(object, known: ["type", "target"] + (isScale ? ["replicas", "by", "min", "max"] : []), place)
        let action: HealingAction
        switch object["type"]?.stringValue {
        case "rollout-restart": action = .rolloutRestart
        case "scale":
            guard let scale = scale(object, place) else { return nil }
            action = .scale(scale)
        case "delete-pod": action = .deletePod
        case "cordon": action = .cordon
        case "notify": action = .notify
        case "none": action = .none
        default:
            fault(
                place + [.member("type")],
                "expected one of rollout-restart, scale, delete-pod, cordon, notify, none")
            return nil
        }
        let targetPlace = place + [.member("target")]
        guard action.actsOnCluster else {
            if object["target"] != nil { fault(targetPlace, "\(action.type) has no target") }
            return (action, nil)
        }
        guard let target = target(object["target"], kinds: action.kinds, targetPlace) else { return nil }
        return (action, target)
    }

    private mutating func scale(_ object: JSONObject, _ place: [Step]) -> HealingAction.Scale? {
        let before = faults.count
        let replicas = integer(object, "replicas", 0...1000, place)
        let step = integer(object, "by", -1000...1000, place)
        let minimum = integer(object, "min", 0...1000, place)
        let maximum = integer(object, "max", 0...1000, place)
        guard faults.count == before else { return nil }
        switch (replicas, step) {
        case (let replicas?, nil):
            if minimum != nil || maximum != nil { fault(place, "min and max belong to by, not to replicas") }
            return .to(replicas)
        case (nil, let step?):
            guard step != 0 else {
                fault(place + [.member("by")], "0 changes nothing")
                return nil
            }
            guard let minimum, let maximum, minimum <= maximum else {
                fault(place, "by needs min and max, with min at most max")
                return nil
            }
            return .by(step, minimum: minimum, maximum: maximum)
        default:
            fault(place, "scale needs either replicas or by")
            return nil
        }
    }

    private mutating func target(
        _ value: JSONValue?, kinds: [HealingTarget.Kind], _ place: [Step]
    ) -> TargetTemplate? {
        guard let object = value?.objectValue else {
            fault(place, "expected an object with kind and name")
            return nil
        }
        members(object, known: ["kind", "namespace", "name"], place)
        let wanted = kinds.map(\.rawValue).joined(separator: " or ")
        guard let kind = object["kind"]?.stringValue.flatMap(HealingTarget.Kind.init), kinds.contains(kind) else {
            fault(place + [.member("kind")], "expected \(wanted)")
            return nil
        }
        let name = part(object, "name", place, isValid: KubernetesNames.isSubdomain)
        var namespace: TargetTemplate.Part?
        if kind.isNamespaced {
            namespace = part(object, "namespace", place, isValid: KubernetesNames.isLabel)
            guard namespace != nil else { return nil }
        } else if object["namespace"] != nil {
            fault(place + [.member("namespace")], "a \(kind.rawValue) lies in no namespace")
        }
        return name.map { TargetTemplate(kind: kind, namespace: namespace, name: $0) }
    }

    private mutating func part(
        _ object: JSONObject, _ name: String, _ place: [Step], isValid: (String) -> Bool
    ) -> TargetTemplate.Part? {
        let place = place + [.member(name)]
        guard let text = object[name]?.stringValue else {
            fault(place, "expected a text")
            return nil
        }
        if text.hasPrefix("${labels."), text.hasSuffix("}") {
            let label = String(text.dropFirst(9).dropLast())
            if Self.isLabelName(label) { return .label(label) }
        }
        guard isValid(text) else {
            fault(place, "expected an RFC 1123 name, or ${labels.NAME} as the whole value")
            return nil
        }
        return .text(text)
    }

    private mutating func channels(_ value: JSONValue?, _ place: [Step]) -> [HealingRule.Channel] {
        switch value {
        case .none, .null: return []
        case .array(let list):
            var channels: [HealingRule.Channel] = []
            for (index, element) in list.enumerated() {
                guard let channel = element.stringValue.flatMap(HealingRule.Channel.init) else {
                    let known = HealingRule.Channel.allCases.map(\.rawValue).joined(separator: ", ")
                    fault(place + [.element(index)], "expected one of \(known)")
                    continue
                }
                if !channels.contains(channel) { channels.append(channel) }
            }
            return channels
        case .some:
            fault(place, "expected a list of channels")
            return []
        }
    }

    // MARK: - Values

    private mutating func members(_ object: JSONObject, known: [String], _ place: [Step]) {
        for name in object.names where !known.contains(name) {
            fault(place + [.member(name)], "there is no such field; known are \(known.joined(separator: ", "))")
        }
    }

    private mutating func text(
        _ object: JSONObject, _ name: String, _ place: [Step], bytes: ClosedRange<Int>
    ) -> String? {
        guard let text = object[name]?.stringValue, bytes.contains(text.utf8.count) else {
            fault(place + [.member(name)], "expected a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes")
            return nil
        }
        return text
    }

    private mutating func integer(
        _ object: JSONObject, _ name: String, _ range: ClosedRange<Int64>, _ place: [Step]
    ) -> Int64? {
        guard let value = object[name] else { return nil }
        guard let number = value.intValue, range.contains(number) else {
            fault(
                place + [.member(name)], "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    private mutating func seconds(
        _ object: JSONObject, _ name: String, _ place: [Step], atMost limit: Int64, shown: String
    ) -> Int64? {
        guard let value = object[name] else { return nil }
        guard let duration = value.stringValue.flatMap({ DurationText.parse($0) }), duration.wholeSeconds <= limit,
            duration == .seconds(duration.wholeSeconds)
        else {
            fault(place + [.member(name)], "expected a duration in whole seconds such as 30s or 5m, at most \(shown)")
            return nil
        }
        return duration.wholeSeconds
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`
    private static func isLabelName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 256 else { return false }
        func isLetter(_ byte: UInt8) -> Bool {
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
        }
        return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }
}
