// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// One condition of a rule, compiled.
struct RuleCondition: Sendable {
    /// How the attribute is compared, with what.
    enum Test: Sendable {
        case equal([JSONValue])
        case notEqual([JSONValue])
        case prefix(String)
        case matches(LinearPattern)
        case exists(Bool)
        case above(JSONValue)
        case below(JSONValue)
        case inside([CIDR])
    }

    /// What a comparison came to.
    enum Verdict: Sendable {
        case holds, fails
        /// The value is of a kind that cannot be compared so.
        case wrongKind
    }

    let attribute: RuleAttribute
    let test: Test

    /// Whether the condition holds; `denies` says in whose favour a value of the wrong kind counts.
    func holds(_ question: PolicyQuestion, denies: Bool) -> Bool {
        let value = attribute.value(question)
        if case .exists(let wanted) = test { return (value != nil) == wanted }
        guard let value else {
            if case .notEqual = test { return true }
            return false
        }
        if case .notEqual(let others) = test {
            return !elements(value).contains { element in others.contains { isEqual(element, $0) } }
        }
        var isUnclear = false
        for element in elements(value) {
            switch compare(element) {
            case .holds: return true
            case .fails: break
            case .wrongKind: isUnclear = true
            }
        }
        return isUnclear && denies
    }

    /// A list stands for its elements.
    private func elements(_ value: JSONValue) -> [JSONValue] {
        if case .array(let elements) = value { return elements }
        return [value]
    }

    private func compare(_ value: JSONValue) -> Verdict {
        switch test {
        case .equal(let others): return others.contains { isEqual(value, $0) } ? .holds : .fails
        case .prefix(let text):
            guard let value = value.stringValue else { return .wrongKind }
            return value.utf8.starts(with: text.utf8) ? .holds : .fails
        case .matches(let pattern):
            guard let value = value.stringValue, value.utf8.count <= LinearPattern.maximumTextBytes else {
                return .wrongKind
            }
            return pattern.matches(value) ? .holds : .fails
        case .above(let bound): return order(value, bound).map { $0 > 0 ? .holds : .fails } ?? .wrongKind
        case .below(let bound): return order(value, bound).map { $0 < 0 ? .holds : .fails } ?? .wrongKind
        case .inside(let blocks):
            guard let address = value.stringValue.flatMap({ IPAddress($0) }) else { return .wrongKind }
            return blocks.contains { $0.contains(address) } ? .holds : .fails
        case .notEqual, .exists: return .fails
        }
    }

    /// Same type and equal; instants of `request.time` are compared as instants, texts as bytes.
    private func isEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            if attribute == .time, let first = Timestamp(rfc3339: left), let second = Timestamp(rfc3339: right) {
                return first == second
            }
            return left.utf8.elementsEqual(right.utf8)
        case (.bool(let left), .bool(let right)): return left == right
        case (.int, .int), (.int, .double), (.double, .int), (.double, .double): return order(left, right) == 0
        default: return false
        }
    }

    /// Below 0, 0 or above it; nil where there is no order.
    private func order(_ left: JSONValue, _ right: JSONValue) -> Int? {
        func sign<Value: Comparable>(_ left: Value, _ right: Value) -> Int { left < right ? -1 : left > right ? 1 : 0 }
        switch (left, right) {
        case (.int(let left), .int(let right)): return sign(left, right)
        case (.int(let left), .double(let right)): return sign(Double(left), right)
        case (.double(let left), .int(let right)): return sign(left, Double(right))
        case (.double(let left), .double(let right)): return sign(left, right)
        case (.string(let left), .string(let right)):
            guard attribute == .time, let first = Timestamp(rfc3339: left), let second = Timestamp(rfc3339: right)
            else { return nil }
            return sign(first, second)
        default: return nil
        }
    }
}
