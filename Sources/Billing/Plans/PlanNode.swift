// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// An object of a catalogue, with the place where it stands. What is wrong goes to the reader.
struct PlanNode {
    private let object: JSONObject
    private let path: String

    /// Reports and gives nil when the value is no object.
    init?(_ value: JSONValue, path: String, reader: inout PlanReader) {
        guard let object = value.objectValue else {
            reader.report(path, "a \(value.kindName): it must be an object")
            return nil
        }
        self.object = object
        self.path = path
    }

    /// The place of a member.
    func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The member, also when it is null.
    func value(_ name: String) -> JSONValue? { object[name] }

    /// Reports every other member.
    func allow(_ names: [String], _ reader: inout PlanReader) {
        for name in object.names where !names.contains(name) { reader.report(place(name), "no such member") }
    }

    func text(_ name: String, _ reader: inout PlanReader) -> String? {
        guard let value = required(name, &reader) else { return nil }
        guard let text = value.stringValue, (1...256).contains(text.utf8.count) else {
            reader.report(place(name), "it must be a text of 1 to 256 bytes")
            return nil
        }
        return text
    }

    /// Null and absent are nil.
    func optionalText(_ name: String, _ reader: inout PlanReader) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        return text(name, &reader)
    }

    func boolean(_ name: String, _ reader: inout PlanReader) -> Bool? {
        guard let value = required(name, &reader) else { return nil }
        if value.boolValue == nil { reader.report(place(name), "a \(value.kindName): it must be true or false") }
        return value.boolValue
    }

    func integer(_ name: String, _ range: some RangeExpression<Int64>, _ reader: inout PlanReader) -> Int64? {
        guard let value = required(name, &reader) else { return nil }
        guard let number = value.intValue, number <= Self.maximum, range.contains(number) else {
            reader.report(place(name), "\(Self.shown(value)): it must be an integer that is not negative and in range")
            return nil
        }
        return number
    }

    /// Null is nil; absent is a problem: a price is stated.
    func optionalInteger(_ name: String, _ reader: inout PlanReader) -> Int64? {
        if object[name]?.isNull == true { return nil }
        return integer(name, 0..., &reader)
    }

    /// −1 is nil: no limit.
    func limit(_ name: String, _ reader: inout PlanReader) -> Int64? {
        guard let value = required(name, &reader) else { return nil }
        guard let number = value.intValue, (-1...Self.maximum).contains(number) else {
            reader.report(place(name), "\(Self.shown(value)): it must be an integer, 0 for none or -1 for no limit")
            return nil
        }
        return number == -1 ? nil : number
    }

    /// Micro-credits; −1 is nil: no limit.
    func credits(_ name: String, _ reader: inout PlanReader, allowsNoLimit: Bool = true) -> Int64? {
        guard let value = required(name, &reader) else { return nil }
        guard let amount = CreditAmount.microCredits(value), amount >= 0 || allowsNoLimit else {
            reader.report(place(name), "\(Self.shown(value)): it must be credits with at most six decimals")
            return nil
        }
        return amount == -1 ? nil : amount
    }

    func rate(_ name: String, _ reader: inout PlanReader) -> RequestRate? {
        guard let rate = object(name, &reader) else { return nil }
        rate.allow(["minute", "hour", "day"], &reader)
        return RequestRate(
            minute: rate.limit("minute", &reader), hour: rate.limit("hour", &reader), day: rate.limit("day", &reader))
    }

    /// Texts, each once.
    func texts(_ name: String, _ reader: inout PlanReader) -> [String]? {
        guard let value = required(name, &reader) else { return nil }
        let texts = value.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == value.arrayValue?.count, texts.count <= 64, Set(texts).count == texts.count,
            texts.allSatisfy({ (1...63).contains($0.utf8.count) })
        else {
            reader.report(place(name), "it must be a list of at most 64 different texts of 1 to 63 bytes")
            return nil
        }
        return texts
    }

    func object(_ name: String, _ reader: inout PlanReader) -> PlanNode? {
        guard let value = required(name, &reader) else { return nil }
        return PlanNode(value, path: place(name), reader: &reader)
    }

    func objects(_ name: String, atMost most: Int, _ reader: inout PlanReader) -> [PlanNode] {
        guard let value = required(name, &reader) else { return [] }
        guard let elements = value.arrayValue, (1...most).contains(elements.count) else {
            reader.report(place(name), "it must be a list of 1 to \(most) objects")
            return []
        }
        return elements.enumerated().compactMap {
            PlanNode($1, path: "\(place(name))[\($0)]", reader: &reader)
        }
    }

    private static let maximum: Int64 = 1 << 53

    private func required(_ name: String, _ reader: inout PlanReader) -> JSONValue? {
        guard let value = object[name] else {
            reader.report(place(name), "it is missing")
            return nil
        }
        return value
    }

    private static func shown(_ value: JSONValue) -> String {
        switch value {
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        default: "a \(value.kindName)"
        }
    }
}
