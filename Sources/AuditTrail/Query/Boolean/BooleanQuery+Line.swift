// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension BooleanQuery {
    /// Whether an entry fits, given as its canonical line: of the line no more is read than the query looks at.
    package func matches(line: [UInt8]) -> Bool {
        guard let root else { return true }
        return line.withUnsafeBufferPointer { bytes in
            // What is no JSON is no entry, and what is wrong with it is the verifier's to say.
            let event = lookedAt.read(bytes) ?? (try? JSONParser.parse(bytes))?.objectValue
            return event.map { root.matches($0) } ?? false
        }
    }
}

/// The members of a line that a query looks at.
struct LookedAtMembers: Sendable, Hashable {
    /// Members that every entry has, with a value that is neither object nor array: a field of such a name is never looked for in `metadata`.
    private static let plainMembers: Set<String> = [
        "id", "timestamp", "actor", "action", "resource", "outcome", "ip", "session_id", "tenant", "request_id",
        "sequence", "prev_hash", "hash",
    ]

    private let names: [String]
    /// The names as they stand in a line, with their quotes.
    private let quoted: [[UInt8]]

    init(_ root: BooleanQuery.Node?) {
        var found: Set<String> = []
        root?.visit { comparison in
            found.insert(comparison.path[0])
            if comparison.path.count > 1 || !Self.plainMembers.contains(comparison.path[0]) { found.insert("metadata") }
        }
        names = found.sorted()
        quoted = names.map { Array("\"\($0)\"".utf8) }
    }

    /// The members, or nil when the line is not a compact object.
    func read(_ bytes: UnsafeBufferPointer<UInt8>) -> JSONObject? {
        var scanner = LineScanner(bytes)
        guard scanner.take("{") else { return nil }
        var members: [JSONObject.Member] = []
        members.reserveCapacity(names.count)
        repeat {
            guard let name = scanner.string(), scanner.take(":"), let value = scanner.value() else { return nil }
            guard let index = quoted.firstIndex(where: { Self.isEqual($0, bytes, name) }) else { continue }
            let text = UnsafeBufferPointer(rebasing: bytes[value])
            // The whole line is then read once more, and refused for the same reason.
            guard let parsed = try? JSONParser.parse(text) else { return nil }
            members.append(JSONObject.Member(name: names[index], value: parsed))
            if members.count == names.count { return JSONObject(uniqueMembers: members) }
        } while scanner.take(",")
        return JSONObject(uniqueMembers: members)
    }

    private static func isEqual(_ name: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        guard name.count == range.count else { return false }
        for index in name.indices where name[index] != bytes[range.lowerBound + index] { return false }
        return true
    }
}
