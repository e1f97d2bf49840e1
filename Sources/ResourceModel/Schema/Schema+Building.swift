// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The words in which the kinds are described.
extension Schema {
    static func object(
        _ description: String? = nil, _ properties: [Property], rules: [Rule] = [], transitions: [Transition] = []
    ) -> Schema {
        var schema = Schema(.object(properties), description: description)
        schema.rules = rules
        schema.transitions = transitions
        return schema
    }

    static func text(
        _ description: String? = nil, min: Int = 0, max: Int = 256, pattern: TextPattern? = nil, rules: [Rule] = []
    ) -> Schema {
        var schema = Schema(
            .text(TextRule(min: min, max: max, pattern: pattern, oneOf: [], isInstant: false)),
            description: description)
        schema.rules = rules
        return schema
    }

    static func choice(_ description: String? = nil, _ values: [String]) -> Schema {
        Schema(
            .text(TextRule(min: 0, max: 64, pattern: nil, oneOf: values, isInstant: false)), description: description)
    }

    static func instant(_ description: String? = nil) -> Schema {
        Schema(.text(TextRule(min: 0, max: 64, pattern: nil, oneOf: [], isInstant: true)), description: description)
    }

    /// A duration between two bounds, both included.
    static func duration(_ description: String? = nil, from low: String, to high: String) -> Schema {
        let least = DurationText.parse(low) ?? .zero
        let most = DurationText.parse(high) ?? .zero
        return text(
            description, max: 16, pattern: .duration,
            rules: [
                Rule(
                    "duration(self) >= duration('\(low)') && duration(self) <= duration('\(high)')",
                    "must be from \(low) to \(high)"
                ) { value in
                    guard let length = value.stringValue.flatMap({ DurationText.parse($0) }) else { return true }
                    return length >= least && length <= most
                }
            ])
    }

    static func integer(_ description: String? = nil, min: Int64? = nil, max: Int64? = nil) -> Schema {
        Schema(.integer(min: min, max: max), description: description)
    }

    static func boolean(_ description: String? = nil) -> Schema { Schema(.boolean, description: description) }

    static func set(_ description: String? = nil, of element: Schema, min: Int = 0, max: Int) -> Schema {
        Schema(.list(of: element, min: min, max: max, kind: .set), description: description)
    }

    static func list(
        _ description: String? = nil, of element: Schema, min: Int = 0, max: Int, key: String? = nil
    ) -> Schema {
        Schema(
            .list(of: element, min: min, max: max, kind: key.map(ListKind.map) ?? .atomic), description: description)
    }

    static func map(_ description: String? = nil, of value: Schema, max: Int) -> Schema {
        Schema(.map(of: value, max: max), description: description)
    }

    static func anyObject(_ description: String? = nil) -> Schema { Schema(.anyObject, description: description) }

    static func anything(_ description: String? = nil) -> Schema { Schema(.anything, description: description) }

    /// Credits as integer or decimal text; `min` −1 allows the word for "unlimited".
    static func credits(_ description: String? = nil) -> Schema {
        var schema = Schema(.credits, description: description)
        schema.rules = [
            Rule(
                #"type(self) == string ? self.matches('^(-1|[0-9]{1,12}([.][0-9]{1,6})?)$') : self >= -1"#,
                "must be an integer of at least -1, or a decimal text with up to six decimals, such as \"12.5\"",
                holds: isCredits)
        ]
        return schema
    }

    /// A markup on prices, 0 to 1000 percent, as integer or as decimal text with up to two decimals.
    static func markup(_ description: String? = nil) -> Schema {
        var schema = Schema(.credits, description: description)
        schema.rules = [
            Rule(
                #"type(self) == string ? self.matches('^(1000([.]0{1,2})?|[0-9]{1,3}([.][0-9]{1,2})?)$') "#
                    + ": self >= 0 && self <= 1000",
                "must be an integer from 0 to 1000, or a decimal text with up to two decimals, such as \"12.5\"",
                holds: isMarkup)
        ]
        return schema
    }

    @Sendable private static func isMarkup(_ value: JSONValue) -> Bool {
        if let number = value.intValue { return (0...1000).contains(number) }
        guard let text = value.stringValue else { return true }
        let parts = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.count <= 2, parts.count == 1 || (1...2).contains(parts[1].count),
            parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } })
        else { return false }
        if whole.elementsEqual("1000".utf8) { return parts.count == 1 || parts[1].allSatisfy { $0 == 0x30 } }
        return (1...3).contains(whole.count)
    }

    @Sendable private static func isCredits(_ value: JSONValue) -> Bool {
        if let number = value.intValue { return number >= -1 }
        guard let text = value.stringValue else { return true }
        if text == "-1" { return true }
        let parts = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        let isDigits = parts.allSatisfy { $0.allSatisfy { (0x30...0x39).contains($0) } }
        guard isDigits, let whole = parts.first, (1...12).contains(whole.count) else { return false }
        return parts.count == 1 || (parts.count == 2 && (1...6).contains(parts[1].count))
    }

    /// The same with a value for what is absent.
    func defaulting(to value: JSONValue) -> Schema {
        var copy = self
        copy.defaultValue = value
        return copy
    }

    /// The same with one more rule.
    func with(_ rule: Rule) -> Schema {
        var copy = self
        copy.rules.append(rule)
        return copy
    }

    /// The same with one more rule for changes.
    func with(_ transition: Transition) -> Schema {
        var copy = self
        copy.transitions.append(transition)
        return copy
    }
}
