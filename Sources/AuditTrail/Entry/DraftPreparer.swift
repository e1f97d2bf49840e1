// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Makes a draft fit to be queued: without secrets, and within the bounds of every member.
struct DraftPreparer: Sendable {
    /// Bytes, depth and members that the metadata of an entry may have.
    private static let metadataBytes = 8192
    private static let metadataDepth = 6
    private static let metadataMembers = 64

    private let redactor: Redactor

    init(redactor: Redactor) { self.redactor = redactor }

    /// The draft as it is recorded.
    func prepare(_ draft: AuditDraft) -> AuditDraft {
        var draft = draft
        Self.cut(&draft.actor, to: 256)
        Self.cut(&draft.action, to: 128)
        draft.resource = redactor.text(draft.resource)
        Self.cut(&draft.resource, to: 512)
        Self.cut(&draft.ip, to: 64)
        Self.cut(&draft.sessionID, to: 128)
        Self.cut(&draft.tenant, to: 256)
        Self.cut(&draft.requestID, to: 64)
        draft.metadata = redactor.object(draft.metadata)
        Self.bound(&draft.metadata)
        return draft
    }

    private static func cut(_ text: inout String?, to limit: Int) {
        guard var value = text, value.utf8.count > limit else { return }
        cut(&value, to: limit)
        text = value
    }

    /// Cuts at the last scalar boundary that fits.
    private static func cut(_ text: inout String, to limit: Int) {
        guard text.utf8.count > limit else { return }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while text.unicodeScalars.index(after: text.unicodeScalars.startIndex) <= end,
            end.samePosition(in: text.unicodeScalars) == nil
        {
            end = text.utf8.index(before: end)
        }
        text = String(text.unicodeScalars[..<end])
    }

    private static func bound(_ metadata: inout JSONObject) {
        var budget = Budget(bytes: metadataBytes, members: metadataMembers)
        if measure(.object(metadata), depth: 1, &budget) { return }
        // Fractions are not written; that alone cuts nothing.
        if case .object(let whole) = withoutFractions(.object(metadata), depth: 1) { metadata = whole }
        budget = Budget(bytes: metadataBytes, members: metadataMembers)
        if measure(.object(metadata), depth: 1, &budget) { return }
        // One member and 17 bytes are kept for the note that something was cut.
        budget = Budget(bytes: metadataBytes - 19, members: metadataMembers - 1)
        guard case .object(var object)? = shortened(.object(metadata), depth: 1, &budget) else {
            metadata = ["truncated": true]
            return
        }
        object["truncated"] = true
        metadata = object
    }

    private struct Budget {
        var bytes: Int
        var members: Int
    }

    /// Whether a value can be written as it is within the budget.
    private static func measure(_ value: JSONValue, depth: Int, _ budget: inout Budget) -> Bool {
        switch value {
        case .null: budget.bytes -= 4
        case .bool: budget.bytes -= 5
        case .int: budget.bytes -= 20
        case .double: return false
        case .string(let text): budget.bytes -= writtenCount(text)
        case .array(let elements):
            guard depth <= metadataDepth else { return false }
            budget.bytes -= 2
            for element in elements {
                budget.bytes -= 1
                guard budget.bytes >= 0, measure(element, depth: depth + 1, &budget) else { return false }
            }
        case .object(let object):
            guard depth <= metadataDepth else { return false }
            budget.bytes -= 2
            budget.members -= object.count
            for member in object.members {
                budget.bytes -= 2 + writtenCount(member.name)
                guard budget.bytes >= 0, budget.members >= 0, measure(member.value, depth: depth + 1, &budget) else {
                    return false
                }
            }
        }
        return budget.bytes >= 0 && budget.members >= 0
    }

    /// Whole numbers for numbers that are whole, text for the others; what lies too deep to be kept is left alone.
    private static func withoutFractions(_ value: JSONValue, depth: Int) -> JSONValue {
        guard depth <= metadataDepth + 1 else { return value }
        return switch value {
        case .double(let number): Int64(exactly: number).map(JSONValue.int) ?? .string(number.description)
        case .array(let elements): .array(elements.map { withoutFractions($0, depth: depth + 1) })
        case .object(let object):
            .object(
                JSONObject(
                    uniqueMembers: object.members.map {
                        JSONObject.Member(name: $0.name, value: withoutFractions($0.value, depth: depth + 1))
                    }))
        default: value
        }
    }

    /// As much of a value as the budget lets through; nil when nothing of it.
    private static func shortened(_ value: JSONValue, depth: Int, _ budget: inout Budget) -> JSONValue? {
        switch value {
        case .null, .bool, .int: return measure(value, depth: depth, &budget) ? value : nil
        case .double: return nil
        case .string(let text):
            let fitting = prefix(of: text, writtenIn: budget.bytes - 2)
            budget.bytes -= writtenCount(fitting)
            return budget.bytes >= 0 ? .string(fitting) : nil
        case .array(let elements):
            budget.bytes -= 2
            guard depth <= metadataDepth, budget.bytes >= 0 else { return nil }
            var kept: [JSONValue] = []
            for element in elements {
                budget.bytes -= 1
                guard budget.bytes > 0, let part = shortened(element, depth: depth + 1, &budget) else { continue }
                kept.append(part)
            }
            return .array(kept)
        case .object(let object):
            budget.bytes -= 2
            guard depth <= metadataDepth, budget.bytes >= 0 else { return nil }
            var kept: [JSONObject.Member] = []
            for member in object.members where budget.members > 0 {
                let nameCount = writtenCount(member.name) + 2
                guard budget.bytes > nameCount else { continue }
                var inner = Budget(bytes: budget.bytes - nameCount, members: budget.members - 1)
                guard let part = shortened(member.value, depth: depth + 1, &inner) else { continue }
                budget = inner
                kept.append(JSONObject.Member(name: member.name, value: part))
            }
            return .object(JSONObject(uniqueMembers: kept))
        }
    }

    private static func escapedCount(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: 2
        case ..<0x20: 6
        default: 1
        }
    }

    private static func writtenCount(_ text: String) -> Int {
        var text = text
        return text.withUTF8 { bytes in
            var count = bytes.count + 2
            for byte in bytes where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                count += escapedCount(byte) - 1
            }
            return count
        }
    }

    private static func prefix(of text: String, writtenIn limit: Int) -> String {
        var used = 0
        var end = text.unicodeScalars.startIndex
        while end < text.unicodeScalars.endIndex {
            let next = text.unicodeScalars.index(after: end)
            used += text.utf8[end..<next].reduce(0) { $0 + escapedCount($1) }
            guard used <= limit else { break }
            end = next
        }
        return String(text.unicodeScalars[..<end])
    }
}
