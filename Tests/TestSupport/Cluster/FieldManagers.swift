// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Who owns which fields of one object.
struct FieldManagers: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let manager: String
        let operation: String
        let subresource: String?
        let apiVersion: String
        var time: String
        var paths: Set<FieldPathKey>

        /// As a conflict names it.
        var text: String {
            operation == "Apply" ? "\"\(manager)\"" : "\"\(manager)\" using \(apiVersion)"
        }

        func isSame(_ other: Entry) -> Bool {
            manager == other.manager && operation == other.operation && subresource == other.subresource
                && apiVersion == other.apiVersion
        }
    }

    private(set) var entries: [Entry] = []

    /// Whether the same managers own the same fields, whenever they took them.
    func ownsTheSame(as other: FieldManagers) -> Bool {
        entries.count == other.entries.count
            && entries.allSatisfy { entry in
                other.entries.contains { $0.isSame(entry) && $0.paths == entry.paths }
            }
    }

    /// An ordinary write: what it changed is its own now.
    mutating func update(
        _ writer: Entry, from old: [FieldPathKey: JSONValue], to new: [FieldPathKey: JSONValue]
    ) {
        let changed = Set(new.filter { old[$0.key] != $0.value }.keys)
        let removed = Set(old.keys).subtracting(new.keys)
        for index in entries.indices { entries[index].paths.subtract(changed.union(removed)) }
        if !changed.isEmpty {
            if let index = entries.firstIndex(where: { $0.isSame(writer) }) {
                entries[index].paths.formUnion(changed)
                entries[index].time = writer.time
            } else {
                var entry = writer
                entry.paths = changed
                entries.append(entry)
            }
        }
        entries.removeAll(where: \.paths.isEmpty)
    }

    /// The fields that an apply would take from others.
    func conflicts(
        with applier: Entry, live: [FieldPathKey: JSONValue], wanted: [FieldPathKey: JSONValue]
    ) -> [(manager: String, path: String)] {
        entries.filter { !$0.isSame(applier) }.flatMap { entry in
            entry.paths.filter { path in wanted[path].map { live[path] != $0 } ?? false }
                .map { (manager: entry.text, path: $0.map(\.text).joined()) }
                .sorted { $0.path < $1.path }
        }
    }

    /// What the applier owned, no longer names, and nobody else owns.
    func abandoned(by applier: Entry, wanted: Set<FieldPathKey>) -> Set<FieldPathKey> {
        guard let own = entries.first(where: { $0.isSame(applier) }) else { return [] }
        let others = entries.filter { !$0.isSame(applier) }.reduce(into: Set<FieldPathKey>()) { $0.formUnion($1.paths) }
        return own.paths.subtracting(wanted).subtracting(others)
    }

    /// An apply: it owns what it names, and with force takes what differs from others.
    mutating func apply(_ applier: Entry, live: [FieldPathKey: JSONValue], wanted: [FieldPathKey: JSONValue]) {
        let taken = Set(wanted.filter { live[$0.key] != $0.value }.keys)
        for index in entries.indices where !entries[index].isSame(applier) { entries[index].paths.subtract(taken) }
        entries.removeAll { $0.paths.isEmpty || $0.isSame(applier) && wanted.isEmpty }
        if let index = entries.firstIndex(where: { $0.isSame(applier) }) {
            if entries[index].paths != Set(wanted.keys) { entries[index].time = applier.time }
            entries[index].paths = Set(wanted.keys)
        } else if !wanted.isEmpty {
            var entry = applier
            entry.paths = Set(wanted.keys)
            entries.append(entry)
        }
    }

    /// Keeps only fields that are there.
    mutating func keep(only present: Set<FieldPathKey>) {
        for index in entries.indices { entries[index].paths.formIntersection(present) }
        entries.removeAll(where: \.paths.isEmpty)
    }

    /// `metadata.managedFields`.
    var document: JSONValue {
        .array(
            entries.map { entry in
                var members: JSONObject = [
                    "manager": .string(entry.manager), "operation": .string(entry.operation),
                    "apiVersion": .string(entry.apiVersion), "time": .string(entry.time), "fieldsType": "FieldsV1",
                    "fieldsV1": Self.tree(entry.paths),
                ]
                members["subresource"] = entry.subresource.map(JSONValue.string)
                return .object(members)
            })
    }

    private static func tree(_ paths: Set<FieldPathKey>) -> JSONValue {
        var byFirst: [String: (rests: Set<FieldPathKey>, isSelf: Bool)] = [:]
        for path in paths {
            guard let first = path.first else { continue }
            var entry = byFirst[first.encoded] ?? ([], false)
            if path.count == 1 { entry.isSelf = true } else { entry.rests.insert(Array(path.dropFirst())) }
            byFirst[first.encoded] = entry
        }
        var object = JSONObject()
        for (name, entry) in byFirst.sorted(by: { $0.key < $1.key }) {
            var child = tree(entry.rests).objectValue ?? JSONObject()
            if entry.isSelf, !entry.rests.isEmpty { child["."] = .object([:]) }
            object[name] = .object(child)
        }
        return .object(object)
    }
}
