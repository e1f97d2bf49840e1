// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads the members of a body by name and kind, collecting every bad value for one refusal.
struct BodyFields {
    /// Largest amount of a body, in micro-credits or micro-US-dollars.
    static let maximumAmount: Int64 = 1_000_000_000_000_000

    let object: JSONObject
    private let path: String
    private(set) var faults: [(field: String, reason: String)] = []

    /// - Parameter known: every member that the body may have.
    /// - Throws: `request.malformed` naming members that are not known.
    init(_ object: JSONObject, known: Set<String>, path: String = "") throws(Refusal) {
        self.object = object
        self.path = path
        let unknown = object.names.filter { !known.contains($0) }.map { path + $0 }
        guard unknown.isEmpty else {
            throw Refusal(
                .requestMalformed, message: "Unknown member: \(unknown.prefix(8).joined(separator: ", "))",
                details: ["unknown": .strings(unknown.prefix(8))])
        }
    }

    /// Notes a bad value.
    mutating func fault(_ name: String, _ reason: String) { faults.append((path + name, reason)) }

    /// Takes over what was found in an object inside of this one.
    mutating func take(_ inner: BodyFields) { faults += inner.faults }

    /// Throws what was found.
    ///
    /// - Throws: `request.invalid` with `details.fields`.
    func finish() throws(Refusal) {
        guard let first = faults.first else { return }
        let fields = faults.prefix(32).map { fault in
            JSONValue.object(["field": .string(fault.field), "reason": .string(fault.reason)])
        }
        throw Refusal(
            .requestInvalid, message: "\(first.field): \(first.reason)", details: ["fields": .array(fields)])
    }

    /// Whether the member is there; null is absent.
    func has(_ name: String) -> Bool { object[name].map { !$0.isNull } ?? false }

    /// Refuses a text that the path of a request could not name later: what is made could not be changed or given back.
    mutating func mustFitIntoPath(_ name: String, _ text: String) {
        guard text == "." || text == ".." || text.utf8.contains(where: { "/\\%".utf8.contains($0) }) else { return }
        fault(name, "holds / or \\ or %, or is . or .., which the path of a request cannot name")
    }

    // MARK: Kinds of values; null is absent

    /// A text of 1 to so many bytes without control characters.
    mutating func text(_ name: String, atMost bytes: Int = 256) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let text = value.stringValue, Self.isPlain(text, atMost: bytes) else {
            fault(name, "not a text of 1 to \(bytes) bytes without control characters")
            return nil
        }
        return text
    }

    /// The same, and it must be there; empty where it is not.
    mutating func requiredText(_ name: String, atMost bytes: Int = 256) -> String {
        guard has(name) else {
            fault(name, "required")
            return ""
        }
        return text(name, atMost: bytes) ?? ""
    }

    mutating func number(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let number = value.intValue, range.contains(number) else {
            fault(name, "not a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// It must be there; the least that is allowed where it is not.
    mutating func requiredNumber(_ name: String, _ range: ClosedRange<Int64>) -> Int64 {
        guard has(name) else {
            fault(name, "required")
            return range.lowerBound
        }
        return number(name, range) ?? range.lowerBound
    }

    mutating func flag(_ name: String) -> Bool? {
        guard let value = object[name], !value.isNull else { return nil }
        if value.boolValue == nil { fault(name, "not true or false") }
        return value.boolValue
    }

    /// An instant as text.
    ///
    /// - Parameter orSeconds: whether UNIX seconds are taken too.
    mutating func instant(_ name: String, orSeconds: Bool = false) -> Timestamp? {
        guard let value = object[name], !value.isNull else { return nil }
        if let text = value.stringValue, let instant = Timestamp(rfc3339: text) { return instant }
        if orSeconds, let seconds = value.intValue, (0...Timestamp.latest.seconds).contains(seconds) {
            return Timestamp(seconds: seconds)
        }
        fault(name, "not an instant like 2027-01-31T12:00:00Z")
        return nil
    }

    /// It must be there.
    mutating func requiredInstant(_ name: String, orSeconds: Bool = false) -> Timestamp {
        if !has(name) { fault(name, "required") }
        return instant(name, orSeconds: orSeconds) ?? Timestamp(seconds: 0)
    }

    /// Credits with at most six decimals, more than 0, in micro-credits.
    mutating func credits(_ name: String) -> Int64? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let amount = CreditAmount.microCredits(value), (1...Self.maximumAmount).contains(amount) else {
            fault(name, "not an amount of credits above 0 with at most six decimals")
            return nil
        }
        return amount
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Value.Type = Value.self
    ) -> Value? where Value.RawValue == String {
        guard let value = object[name], !value.isNull else { return nil }
        guard let choice = value.stringValue.flatMap(Value.init(rawValue:)) else {
            fault(name, "not one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return choice
    }

    /// `limit` of a page, 1 to 1000; 100 where it is not said. Items of a query are texts.
    mutating func pageSize() -> Int {
        guard has("limit") else { return 100 }
        let text = object["limit"]?.stringValue ?? object["limit"]?.intValue.map(String.init) ?? ""
        let limit = text.utf8.count <= 4 ? Int(text) ?? 0 : 0
        if !(1...1000).contains(limit) { fault("limit", "not a whole number from 1 to 1000") }
        return limit
    }

    /// A duration as `5m` or a whole number of seconds.
    mutating func duration(_ name: String, _ range: ClosedRange<Int64>, words: String) -> Duration? {
        guard let value = object[name], !value.isNull else { return nil }
        var seconds = value.intValue
        if let text = value.stringValue, let duration = DurationText.parse(text),
            duration == .seconds(duration.wholeSeconds)
        {
            seconds = duration.wholeSeconds
        }
        guard let seconds, range.contains(seconds) else {
            fault(name, "not \(words)")
            return nil
        }
        return .seconds(seconds)
    }

    /// Different texts, at most so many.
    mutating func texts(_ name: String, atMost count: Int) -> [String]? {
        guard let value = object[name], !value.isNull else { return nil }
        let texts = value.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == value.arrayValue?.count, (1...count).contains(texts.count),
            Set(texts).count == texts.count,
            texts.allSatisfy({ Self.isPlain($0, atMost: 256) })
        else {
            fault(name, "not a list of 1 to \(count) different texts of 1 to 256 bytes")
            return nil
        }
        return texts
    }

    /// An address, https only.
    mutating func address(_ name: String) -> String? {
        guard let text = text(name, atMost: 2048) else { return nil }
        let rest = text.dropFirst("https://".utf8.count)
        guard ASCII.lowercased(text.prefix(8)) == "https://", let first = rest.utf8.first, first != UInt8(ascii: "/"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            fault(name, "not an https address")
            return nil
        }
        return text
    }

    private static func isPlain(_ text: String, atMost bytes: Int) -> Bool {
        (1...bytes).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// An object; null is absent.
    mutating func inner(_ name: String) -> JSONObject? {
        guard let value = object[name], !value.isNull else { return nil }
        if value.objectValue == nil { fault(name, "not an object") }
        return value.objectValue
    }
}
