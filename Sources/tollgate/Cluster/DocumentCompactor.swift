// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// Makes documents that are kept small: a text that many of them hold is in memory once, and no list has room to grow.
///
/// Of thousands of objects most texts are the same: the names of members, reasons, messages, times.
final class DocumentCompactor: Sendable {
    /// Texts that Swift keeps without memory of their own, and texts that are hardly alike.
    private static let lengths = 16...128
    /// When there are more, they are forgotten: what is kept stays as it is.
    private static let mostTexts = 4096

    private let texts = Mutex<Set<String>>([])

    /// The same document.
    func compact(_ document: JSONValue) -> JSONValue {
        texts.withLock { texts in Self.compact(document, &texts) }
    }

    /// How many texts are known.
    var count: Int { texts.withLock(\.count) }

    private static func compact(_ value: JSONValue, _ texts: inout Set<String>) -> JSONValue {
        switch value {
        case .string(let text): return .string(shared(text, &texts))
        case .array(let elements): return .array(elements.map { compact($0, &texts) })
        case .object(let object):
            return .object(
                JSONObject(
                    uniqueMembers: object.members.map { member in
                        JSONObject.Member(
                            name: shared(member.name, &texts), value: compact(member.value, &texts))
                    }))
        case .null, .bool, .int, .double: return value
        }
    }

    private static func shared(_ text: String, _ texts: inout Set<String>) -> String {
        guard lengths.contains(text.utf8.count) else { return text }
        if texts.count >= mostTexts { texts = [] }
        return texts.insert(text).memberAfterInsert
    }
}
