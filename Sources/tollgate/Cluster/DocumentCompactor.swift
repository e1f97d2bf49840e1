// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Makes documents that are kept small: a text or a small object that many of them hold is in memory once, and no list has room to grow.
///
/// Of thousands of objects most of a status is the same: the names of members, and conditions that came about in the same second.
final class DocumentCompactor: Sendable {
    /// Texts that Swift keeps without memory of their own, and texts that are hardly alike.
    private static let lengths = 16...128
    /// When there are more of either, they are forgotten: what is kept stays as it is.
    private static let most = 4096

    private struct Known {
        var texts: Set<String> = []
        var objects: Set<JSONValue> = []
    }

    private let known = Mutex(Known())

    /// The same document.
    func compact(_ document: JSONValue) -> JSONValue {
        known.withLock { known in Self.compact(document, &known) }
    }

    /// How many texts and objects are known.
    var counts: (texts: Int, objects: Int) { known.withLock { ($0.texts.count, $0.objects.count) } }

    private static func compact(_ value: JSONValue, _ known: inout Known) -> JSONValue {
        switch value {
        case .string(let text): return .string(shared(text, &known))
        case .array(let elements): return .array(elements.map { compact($0, &known) })
        case .object(let object):
            return shared(
                JSONObject(
                    uniqueMembers: object.members.map { member in
                        JSONObject.Member(
                            name: shared(member.name, &known), value: compact(member.value, &known))
                    }), &known)
        case .null, .bool, .int, .double: return value
        }
    }

    private static func shared(_ text: String, _ known: inout Known) -> String {
        guard lengths.contains(text.utf8.count) else { return text }
        if known.texts.count >= most { known.texts = [] }
        return known.texts.insert(text).memberAfterInsert
    }

    /// Objects that hold no others: conditions.
    private static func shared(_ object: JSONObject, _ known: inout Known) -> JSONValue {
        let isFlat = object.members.allSatisfy { member in
            switch member.value {
            case .array, .object: false
            default: true
            }
        }
        guard isFlat, object.count > 1 else { return .object(object) }
        if known.objects.count >= most { known.objects = [] }
        let found = known.objects.insert(.object(object)).memberAfterInsert
        // Equal objects can have their members, and equal texts their characters, in another form.
        guard let members = found.objectValue?.members, members.elementsEqual(object.members, by: isIdentical) else {
            return .object(object)
        }
        return found
    }

    /// Whether two equal members are written the same.
    private static func isIdentical(_ left: JSONObject.Member, _ right: JSONObject.Member) -> Bool {
        guard left.name.utf8.elementsEqual(right.name.utf8) else { return false }
        if case .string(let one) = left.value, case .string(let other) = right.value {
            return one.utf8.elementsEqual(other.utf8)
        }
        return left.value == right.value
    }
}
