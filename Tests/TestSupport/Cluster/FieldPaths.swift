// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// One step to a field, as `managedFields` tells it.
enum FieldStep: Sendable, Hashable {
    case field(String)
    /// The element of a map list with those keys, as JSON with sorted names.
    case key(String)
    /// The element of a set, as JSON.
    case value(String)

    /// As a member name of `fieldsV1`.
    var encoded: String {
        switch self {
        case .field(let name): "f:\(name)"
        case .key(let keys): "k:\(keys)"
        case .value(let value): "v:\(value)"
        }
    }

    /// As a conflict writes it.
    var text: String {
        switch self {
        case .field(let name): return ".\(name)"
        case .value(let value): return "[=\(value)]"
        case .key(let keys):
            // It was written here, so it is JSON.
            let members = (try? JSONParser.parse(text: keys))?.objectValue?.members ?? []
            return "[" + members.map { "\($0.name)=\($0.value.jsonText)" }.joined(separator: ",") + "]"
        }
    }
}

typealias FieldPathKey = [FieldStep]

/// The leaves of a document: what managers own.
struct FieldPaths {
    private let types: ListTypes

    init(_ types: ListTypes) { self.types = types }

    /// Members that belong to nobody.
    private static let unowned: Set<String> = [
        ".apiVersion", ".kind", ".metadata.name", ".metadata.namespace", ".metadata.uid", ".metadata.resourceVersion",
        ".metadata.generation", ".metadata.creationTimestamp", ".metadata.deletionTimestamp",
        ".metadata.deletionGracePeriodSeconds", ".metadata.managedFields", ".metadata.selfLink",
    ]

    /// Every leaf with its value; an element of a map list stands there itself too, as `true`.
    func leaves(of document: JSONValue) -> [FieldPathKey: JSONValue] {
        var found: [FieldPathKey: JSONValue] = [:]
        collect(document, [], "", into: &found)
        return found
    }

    private func collect(
        _ value: JSONValue, _ path: FieldPathKey, _ text: String, into found: inout [FieldPathKey: JSONValue]
    ) {
        if Self.unowned.contains(text) { return }
        switch value {
        case .object(let object):
            if object.isEmpty, !path.isEmpty, text != ".metadata" { found[path] = value }
            for member in object.members {
                collect(member.value, path + [.field(member.name)], "\(text).\(member.name)", into: &found)
            }
        case .array(let elements):
            switch types[text] {
            case .atomic: found[path] = value
            case .set:
                if elements.isEmpty { found[path] = value }
                for element in elements { found[path + [.value(element.jsonText)]] = element }
            case .map(let keys):
                if elements.isEmpty { found[path] = value }
                for element in elements {
                    let step = path + [Self.key(element, keys)]
                    found[step] = true
                    collect(element, step, text + "[]", into: &found)
                }
            }
        default: found[path] = value
        }
    }

    static func key(_ element: JSONValue, _ keys: [String]) -> FieldStep {
        let pairs = keys.sorted().map { ($0, element[$0] ?? .null) }
        return .key(String(decoding: JSONValue.object(JSONObject(pairs)).encoded(sortedNames: true), as: UTF8.self))
    }

    /// Lays a document over another: objects member by member, sets and map lists element by element.
    func merge(_ new: JSONValue, over old: JSONValue?, at text: String = "") -> JSONValue {
        switch (new, old) {
        case (.object(let members), .object(var result)):
            for member in members.members {
                result[member.name] = merge(member.value, over: result[member.name], at: "\(text).\(member.name)")
            }
            return .object(result)
        case (.array(let added), .array(var result)):
            switch types[text] {
            case .atomic: return new
            case .set: result += added.filter { !result.contains($0) }
            case .map(let keys):
                for element in added {
                    let key = Self.key(element, keys)
                    if let index = result.firstIndex(where: { Self.key($0, keys) == key }) {
                        result[index] = merge(element, over: result[index], at: text + "[]")
                    } else {
                        result.append(element)
                    }
                }
            }
            return .array(result)
        default: return new
        }
    }

    /// The document without some leaves, and without what is empty for their sake; nil when nothing is left.
    func removing(
        _ gone: Set<FieldPathKey>, from value: JSONValue, at path: FieldPathKey = [], _ text: String = ""
    ) -> JSONValue? {
        switch value {
        case .object(let object):
            if object.isEmpty { return gone.contains(path) ? Optional.none : value }
            var result = JSONObject()
            for member in object.members {
                result[member.name] = removing(
                    gone, from: member.value, at: path + [.field(member.name)], "\(text).\(member.name)")
            }
            return result.isEmpty && !path.isEmpty ? Optional.none : .object(result)
        case .array(let elements):
            switch types[text] {
            case .atomic: return gone.contains(path) ? Optional.none : value
            case .set:
                if elements.isEmpty { return gone.contains(path) ? Optional.none : value }
                let rest = elements.filter { !gone.contains(path + [.value($0.jsonText)]) }
                return rest.isEmpty ? Optional.none : .array(rest)
            case .map(let keys):
                if elements.isEmpty { return gone.contains(path) ? Optional.none : value }
                let rest = elements.compactMap { element -> JSONValue? in
                    let step = path + [Self.key(element, keys)]
                    return gone.contains(step) ? Optional.none : removing(gone, from: element, at: step, text + "[]")
                }
                return rest.isEmpty ? Optional.none : .array(rest)
            }
        default: return gone.contains(path) ? Optional.none : value
        }
    }
}
