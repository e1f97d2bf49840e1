// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// `field op value`, with everything about the value that comparing needs.
struct QueryComparison: Sendable, Hashable {
    enum Comparator: String, Sendable, CaseIterable {
        case equal = "="
        case unequal = "!="
        case contains = "~"
        case atLeast = ">="
        case atMost = "<="
    }

    /// The names of the field, at least one.
    let path: [String]
    let comparator: Comparator
    let value: String
    let isQuoted: Bool
    private let valueBytes: [UInt8]
    private let lowered: [UInt8]
    private let integer: Int64?
    private let number: ExactDecimal?
    /// Unix seconds, when the value is RFC 3339 with a zone.
    private let instant: ExactDecimal?

    init(path: [String], comparator: Comparator, value: String, isQuoted: Bool) {
        self.path = path
        self.comparator = comparator
        self.value = value
        self.isQuoted = isQuoted
        valueBytes = Array(value.utf8)
        lowered = LoweredText.bytes(value)
        number = ExactDecimal(reading: value)
        integer = Int64(value)
        instant = ExactDecimal(secondsOfRFC3339: value)
    }

    /// Whether it holds for an event.
    func holds(_ event: JSONObject) -> Bool {
        guard comparator != .unequal else { return !anyFits(event, .equal) }
        return anyFits(event, comparator)
    }

    private func anyFits(_ event: JSONObject, _ comparator: Comparator) -> Bool {
        var found = Found()
        search(path[...], in: event, comparator, &found)
        if !found.isPresent, let metadata = Self.member("metadata", of: event) {
            search(path[...], in: metadata, comparator, &found)
        }
        return found.isPresent ? found.fits : comparator == .equal && isBareNull
    }

    private struct Found {
        /// Whether the field is not missing.
        var isPresent = false
        /// Whether one of its values fits.
        var fits = false
    }

    private var isBareNull: Bool { !isQuoted && value == "null" }

    // MARK: Looking up

    private func search(_ rest: ArraySlice<String>, in value: JSONValue, _ comparator: Comparator, _ found: inout Found)
    {
        switch value {
        case .array(let elements):
            for element in elements where !found.fits { search(rest, in: element, comparator, &found) }
        case .object(let object) where !rest.isEmpty: search(rest, in: object, comparator, &found)
        default:
            guard rest.isEmpty else { return }
            found.isPresent = true
            found.fits = fits(value, comparator)
        }
    }

    private func search(
        _ rest: ArraySlice<String>, in object: JSONObject, _ comparator: Comparator, _ found: inout Found
    ) {
        guard let first = rest.first, let value = Self.member(first, of: object) else { return }
        search(rest.dropFirst(), in: value, comparator, &found)
    }

    /// Names of fields are ASCII, so that a name of the same length is equal only if its bytes are.
    private static func member(_ name: String, of object: JSONObject) -> JSONValue? {
        object.members.first { $0.name.utf8.count == name.utf8.count && $0.name == name }?.value
    }

    // MARK: Comparing

    private func fits(_ member: JSONValue, _ comparator: Comparator) -> Bool {
        switch comparator {
        case .equal, .unequal: isEqual(member)
        case .contains: isContained(in: member)
        case .atLeast: isOrdered(member) { $0 >= 0 }
        case .atMost: isOrdered(member) { $0 <= 0 }
        }
    }

    private func isEqual(_ member: JSONValue) -> Bool {
        switch member {
        case .string(let text): !isBareNull && text.utf8.elementsEqual(valueBytes)
        case .int(let number): integer.map { $0 == number } ?? (self.number == ExactDecimal(number))
        case .double(let number): self.number == ExactDecimal(number)
        case .bool(let flag): value == (flag ? "true" : "false")
        case .null: isBareNull
        case .object, .array: false
        }
    }

    private func isContained(in member: JSONValue) -> Bool {
        switch member {
        case .string(let text): LoweredText.contains(LoweredText.bytes(text), lowered)
        case .int(let number): LoweredText.contains(Array(String(number).utf8), lowered)
        case .double(let number): LoweredText.contains(Array(ExactDecimal(number).plainText.utf8), lowered)
        case .bool(let flag): LoweredText.contains(Array((flag ? "true" : "false").utf8), lowered)
        case .null, .object, .array: false
        }
    }

    /// Whether how the member stands to the value (below 0 = before it) is as wanted.
    private func isOrdered(_ member: JSONValue, _ wanted: (Int) -> Bool) -> Bool {
        switch member {
        case .string(let text):
            if let instant, let other = ExactDecimal(secondsOfRFC3339: text) {
                return wanted(other.compared(to: instant))
            }
            if text.utf8.elementsEqual(valueBytes) { return true }
            return wanted(text.utf8.lexicographicallyPrecedes(valueBytes) ? -1 : 1)
        case .int(let number):
            if let integer { return wanted(number < integer ? -1 : number > integer ? 1 : 0) }
            return (self.number ?? instant).map { wanted(ExactDecimal(number).compared(to: $0)) } ?? false
        case .double(let number):
            return (self.number ?? instant).map { wanted(ExactDecimal(number).compared(to: $0)) } ?? false
        case .bool, .null, .object, .array: return false
        }
    }
}

extension QueryComparison: CustomStringConvertible {
    var description: String {
        guard isQuoted else { return "\(path.joined(separator: "."))\(comparator.rawValue)\(value)" }
        var escaped = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { escaped.append("\\") }
            escaped.append(scalar)
        }
        return "\(path.joined(separator: "."))\(comparator.rawValue)\"\(String(escaped))\""
    }
}
