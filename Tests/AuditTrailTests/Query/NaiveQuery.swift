// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// A query as a tree that was made by chance, with an evaluator that shares nothing with the product's: it collects the values of a field
/// first and compares numbers through `Decimal`.
indirect enum NaiveQuery {
    case both(NaiveQuery, NaiveQuery)
    case either(NaiveQuery, NaiveQuery)
    case opposite(NaiveQuery)
    case compare(String, String, String, quoted: Bool)

    private static let names = ["a", "b", "c", "metadata"]
    private static let values = [
        "x", "X", "xy", "10", "9.5", "-1", "true", "false", "null", "0", "1e1", "2026-02-10T08:00:00Z",
        "2026-02-10T09:00:00+01:00", "1770710400", "é", "e\u{301}",
    ]

    static func random(_ random: SeededRandom, depth: Int) -> NaiveQuery {
        switch depth == 0 ? 3 : random.below(5) {
        case 0: return .both(self.random(random, depth: depth - 1), self.random(random, depth: depth - 1))
        case 1: return .either(self.random(random, depth: depth - 1), self.random(random, depth: depth - 1))
        case 2: return .opposite(self.random(random, depth: depth - 1))
        default:
            let path = (0...random.below(3)).map { _ in names[random.below(names.count)] }.joined(separator: ".")
            let comparator = ["=", "!=", "~", ">=", "<="][random.below(5)]
            return .compare(path, comparator, values[random.below(values.count)], quoted: random.below(3) == 0)
        }
    }

    static func randomEvent(_ random: SeededRandom) -> JSONObject {
        JSONObject(names.map { ($0, randomValue(random, depth: 3)) }.filter { _ in random.below(4) > 0 })
    }

    private static func randomValue(_ random: SeededRandom, depth: Int) -> JSONValue {
        switch random.below(depth == 0 ? 6 : 9) {
        case 0: .null
        case 1: .bool(random.below(2) == 0)
        case 2: .int([10, -1, 0, 1_770_710_400][random.below(4)])
        case 3: .double([9.5, -0.25, 1_770_710_400.5][random.below(3)])
        case 4, 5: .string(values[random.below(values.count)])
        case 6: .array((0..<random.below(3)).map { _ in randomValue(random, depth: depth - 1) })
        default: .object(JSONObject(names.prefix(3).map { ($0, randomValue(random, depth: depth - 1)) }))
        }
    }

    /// The query written with blanks, cases and parentheses as they come.
    func text(_ random: SeededRandom) -> String {
        func wrapped(_ node: NaiveQuery, _ must: Bool) -> String {
            must || random.below(8) == 0 ? "(\(node.text(random)))" : node.text(random)
        }
        switch self {
        case .both(let left, let right):
            let keyword = ["AND", "and", "And"][random.below(3)]
            return "\(wrapped(left, left.isEither)) \(keyword)  \(wrapped(right, right.isEither))"
        case .either(let left, let right):
            return "\(wrapped(left, false)) \(["OR", "or"][random.below(2)])\t\(wrapped(right, false))"
        case .opposite(let node):
            return "NOT \(wrapped(node, node.isBoth || node.isEither))"
        case .compare(let path, let comparator, let value, let quoted):
            let gap = random.below(4) == 0 ? " " : ""
            return "\(path)\(gap)\(comparator)\(gap)\(quoted ? "\"\(value)\"" : value)"
        }
    }

    private var isBoth: Bool {
        if case .both = self { return true }
        return false
    }

    private var isEither: Bool {
        if case .either = self { return true }
        return false
    }

    // MARK: Evaluating

    func matches(_ event: JSONObject) -> Bool {
        switch self {
        case .both(let left, let right): return left.matches(event) && right.matches(event)
        case .either(let left, let right): return left.matches(event) || right.matches(event)
        case .opposite(let node): return !node.matches(event)
        case .compare(let path, "!=", let value, let quoted):
            return !NaiveQuery.compare(path, "=", value, quoted: quoted).matches(event)
        case .compare(let path, let comparator, let value, let quoted):
            var found = Self.values(path, in: .object(event))
            if found.isEmpty { found = Self.values("metadata.\(path)", in: .object(event)) }
            if found.isEmpty { return comparator == "=" && value == "null" && !quoted }
            return found.contains { Self.holds($0, comparator, value, quoted: quoted) }
        }
    }

    private static func values(_ path: String, in value: JSONValue) -> [JSONValue] {
        var level = [value]
        for name in path.split(separator: ".") {
            level = level.flatMap(flat).compactMap { $0[String(name)] }
        }
        return level.flatMap(flat)
    }

    private static func flat(_ value: JSONValue) -> [JSONValue] {
        value.arrayValue.map { $0.flatMap(flat) } ?? [value]
    }

    private static func holds(_ member: JSONValue, _ comparator: String, _ value: String, quoted: Bool) -> Bool {
        let isNull = value == "null" && !quoted
        switch (comparator, member) {
        case ("=", .null): return isNull
        case ("=", .string(let text)): return !isNull && Array(text.utf8) == Array(value.utf8)
        case ("=", .bool(let flag)): return value == String(flag)
        case ("=", _): return number(member).flatMap { left in decimal(value).map { $0 == left } } ?? false
        case ("~", .string(let text)): return occurs(lowered(value), in: lowered(text))
        case ("~", .bool(let flag)): return occurs(lowered(value), in: String(flag))
        case ("~", _): return number(member).map { occurs(lowered(value), in: "\($0)") } ?? false
        case (_, .string(let text)):
            if let left = seconds(text), let right = seconds(value) { return ordered(left, comparator, right) }
            let left = Array(text.utf8).map(Int.init)
            let right = Array(value.utf8).map(Int.init)
            return left == right || left.lexicographicallyPrecedes(right) == (comparator == "<=")
        default:
            guard let left = number(member), let right = decimal(value) ?? seconds(value) else { return false }
            return ordered(left, comparator, right)
        }
    }

    private static func ordered(_ left: Decimal, _ comparator: String, _ right: Decimal) -> Bool {
        comparator == ">=" ? left >= right : left <= right
    }

    private static func number(_ member: JSONValue) -> Decimal? {
        switch member {
        case .int(let number): Decimal(number)
        case .double(let number): Decimal(string: "\(number)")
        default: nil
        }
    }

    private static func decimal(_ text: String) -> Decimal? {
        text.allSatisfy { "0123456789.-e".contains($0) } && text.first != "e" ? Decimal(string: text) : nil
    }

    private static func seconds(_ text: String) -> Decimal? {
        Timestamp(rfc3339: text).map { Decimal($0.seconds) }
    }

    /// By bytes: `String.contains` would take two ways of writing a letter for the same.
    private static func occurs(_ part: String, in text: String) -> Bool {
        Data(text.utf8).range(of: Data(part.utf8)) != nil || part.isEmpty
    }

    private static func lowered(_ text: String) -> String {
        text.unicodeScalars.map { $0.properties.lowercaseMapping }.joined()
    }
}
