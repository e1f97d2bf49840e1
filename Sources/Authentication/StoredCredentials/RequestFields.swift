// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads the members of a body or query, collecting what is wrong with them.
struct RequestFields {
    private let object: JSONObject
    private var faults: [(field: String, reason: String)] = []

    /// - Throws: `request.malformed` naming a member that nobody knows.
    init(_ object: JSONObject, known: Set<String>) throws(Refusal) {
        self.object = object
        for member in object.members where !known.contains(member.name) {
            throw Refusal(
                .requestMalformed, message: "Unknown member '\(member.name)'", details: ["member": .string(member.name)]
            )
        }
    }

    mutating func fault(_ field: String, _ reason: String) { faults.append((field, reason)) }

    /// - Throws: `request.invalid` with everything that is wrong.
    func finish() throws(Refusal) {
        guard !faults.isEmpty else { return }
        let fields = faults.map { JSONValue.object(["field": .string($0.field), "reason": .string($0.reason)]) }
        throw Refusal(.requestInvalid, details: ["fields": .array(fields)])
    }

    /// The member, unless it is absent or null.
    func value(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    mutating func text(_ name: String, maximumBytes: Int) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue, text.utf8.count <= maximumBytes, !text.utf8.contains(0) else {
            fault(name, "not a text of at most \(maximumBytes) bytes")
            return nil
        }
        return text
    }

    mutating func flag(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.boolValue else {
            fault(name, "not true or false")
            return nil
        }
        return flag
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int64>, acceptsText: Bool = false) -> Int64? {
        guard let value = value(name) else { return nil }
        let text = acceptsText ? value.stringValue.flatMap { $0.utf8.count <= 18 ? Int64($0) : nil } : nil
        guard let number = value.intValue ?? text, range.contains(number) else {
            fault(name, "not a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func stringSet(_ name: String, isValid: (String) -> Bool = { _ in true }, reason: String = "") -> [String]
    {
        guard let value = value(name) else { return [] }
        return checked(name, Result { () throws(TextRuleFault) in try TextRules.stringSet(value) }, isValid, reason)
    }

    mutating func nameSet(_ name: String) -> [String] {
        guard let value = value(name) else { return [] }
        return checked(name, Result { () throws(TextRuleFault) in try TextRules.nameSet(value) }, { _ in true }, "")
    }

    private mutating func checked(
        _ name: String, _ set: Result<[String], TextRuleFault>, _ isValid: (String) -> Bool, _ reason: String
    ) -> [String] {
        switch set {
        case .failure(let problem):
            fault(name, problem.rawValue)
            return []
        case .success(let texts):
            if let bad = texts.first(where: { !isValid($0) }) { fault(name, "'\(bad)' is not \(reason)") }
            return texts
        }
    }
}
