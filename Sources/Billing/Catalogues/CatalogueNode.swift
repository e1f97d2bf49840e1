// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// An object of a catalogue, with the place where it stands. What is wrong goes to the list of problems.
struct CatalogueNode {
    private let object: JSONObject
    private let path: String

    /// Reports and gives nil when the value is no object.
    init?(_ value: JSONValue, path: String, problems: inout CatalogueProblems) {
        guard let object = value.objectValue else {
            problems.report(path, "a \(value.kindName): it must be an object")
            return nil
        }
        self.object = object
        self.path = path
    }

    /// The place of a member.
    func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The names of all members.
    var names: [String] { object.names }

    /// The member, also when it is null.
    func value(_ name: String) -> JSONValue? { object[name] }

    /// Reports every other member.
    func allow(_ names: [String], _ problems: inout CatalogueProblems) {
        for name in object.names where !names.contains(name) { problems.report(place(name), "no such member") }
    }

    func text(_ name: String, _ problems: inout CatalogueProblems) -> String? {
        guard let value = required(name, &problems) else { return nil }
        guard let text = value.stringValue, (1...256).contains(text.utf8.count) else {
            problems.report(place(name), "it must be a text of 1 to 256 bytes")
            return nil
        }
        return text
    }

    /// Null and absent are nil.
    func optionalText(_ name: String, _ problems: inout CatalogueProblems) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        return text(name, &problems)
    }

    func boolean(_ name: String, _ problems: inout CatalogueProblems) -> Bool? {
        guard let value = required(name, &problems) else { return nil }
        if value.boolValue == nil { problems.report(place(name), "a \(value.kindName): it must be true or false") }
        return value.boolValue
    }

    func integer(
        _ name: String, _ range: some RangeExpression<Int64>, _ problems: inout CatalogueProblems
    ) -> Int64? {
        guard let value = required(name, &problems) else { return nil }
        guard let number = value.intValue, number <= Self.maximum, range.contains(number) else {
            problems.report(
                place(name), "\(Self.shown(value)): it must be an integer that is not negative and in range")
            return nil
        }
        return number
    }

    /// Null is nil; absent is a problem: a price is stated.
    func optionalInteger(_ name: String, _ problems: inout CatalogueProblems) -> Int64? {
        if object[name]?.isNull == true { return nil }
        return integer(name, 0..., &problems)
    }

    /// −1 is nil: no limit.
    func limit(_ name: String, _ problems: inout CatalogueProblems) -> Int64? {
        guard let value = required(name, &problems) else { return nil }
        guard let number = value.intValue, (-1...Self.maximum).contains(number) else {
            problems.report(
                place(name), "\(Self.shown(value)): it must be an integer, 0 for none or -1 for no limit")
            return nil
        }
        return number == -1 ? nil : number
    }

    /// Micro-credits; −1 is nil: no limit.
    func credits(_ name: String, _ problems: inout CatalogueProblems, allowsNoLimit: Bool = true) -> Int64? {
        guard let value = required(name, &problems) else { return nil }
        guard let amount = CreditAmount.microCredits(value), amount >= 0 || allowsNoLimit else {
            problems.report(place(name), "\(Self.shown(value)): it must be credits with at most six decimals")
            return nil
        }
        return amount == -1 ? nil : amount
    }

    func rate(_ name: String, _ problems: inout CatalogueProblems) -> RequestRate? {
        guard let rate = object(name, &problems) else { return nil }
        rate.allow(["minute", "hour", "day"], &problems)
        return RequestRate(
            minute: rate.limit("minute", &problems), hour: rate.limit("hour", &problems),
            day: rate.limit("day", &problems))
    }

    /// A percentage that is added to prices.
    func markup(_ name: String, _ problems: inout CatalogueProblems) -> MarkupPercent? {
        guard let value = required(name, &problems) else { return nil }
        guard let markup = MarkupPercent(json: value) else {
            problems.report(place(name), "\(Self.shown(value)): it must be 0 to 1000 with at most two decimals")
            return nil
        }
        return markup
    }

    /// US dollars per million tokens as decimal text, in micro-US-dollars.
    func dollarRate(_ name: String, _ problems: inout CatalogueProblems) -> Int64? {
        guard let value = required(name, &problems) else { return nil }
        guard let text = value.stringValue, let rate = DecimalText.parse(text, decimals: 6, wholeDigits: 9) else {
            problems.report(
                place(name), "\(Self.shown(value)): it must be dollars as text, with at most six decimals")
            return nil
        }
        return rate
    }

    /// Texts, each once.
    func texts(_ name: String, longest: Int = 63, _ problems: inout CatalogueProblems) -> [String]? {
        guard let value = required(name, &problems) else { return nil }
        let texts = value.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == value.arrayValue?.count, texts.count <= 64, Set(texts).count == texts.count,
            texts.allSatisfy({ (1...longest).contains($0.utf8.count) })
        else {
            problems.report(place(name), "it must be a list of at most 64 different texts of 1 to \(longest) bytes")
            return nil
        }
        return texts
    }

    func object(_ name: String, _ problems: inout CatalogueProblems) -> CatalogueNode? {
        guard let value = required(name, &problems) else { return nil }
        return CatalogueNode(value, path: place(name), problems: &problems)
    }

    func objects(_ name: String, atMost most: Int, _ problems: inout CatalogueProblems) -> [CatalogueNode] {
        guard let value = required(name, &problems) else { return [] }
        guard let elements = value.arrayValue, (1...most).contains(elements.count) else {
            problems.report(place(name), "it must be a list of 1 to \(most) objects")
            return []
        }
        return elements.enumerated().compactMap {
            CatalogueNode($1, path: "\(place(name))[\($0)]", problems: &problems)
        }
    }

    private static let maximum: Int64 = 1 << 53

    private func required(_ name: String, _ problems: inout CatalogueProblems) -> JSONValue? {
        guard let value = object[name] else {
            problems.report(place(name), "it is missing")
            return nil
        }
        return value
    }

    private static func shown(_ value: JSONValue) -> String {
        switch value {
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .string(let text) where text.utf8.count <= 32: text
        default: "a \(value.kindName)"
        }
    }
}
