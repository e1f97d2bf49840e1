// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Changes of documents: JSON merge patch (RFC 7396), JSON patch (RFC 6902) and paths of member names.
enum DocumentPatch {
    /// RFC 7396.
    static func merge(_ patch: JSONValue, into target: JSONValue) -> JSONValue {
        guard let members = patch.objectValue?.members else { return patch }
        var result = target.objectValue ?? JSONObject()
        for member in members {
            result[member.name] =
                member.value.isNull ? Optional.none : merge(member.value, into: result[member.name] ?? .null)
        }
        return .object(result)
    }

    /// RFC 6902.
    static func apply(_ operations: JSONValue, to document: JSONValue) throws(APIStatus) -> JSONValue {
        guard let operations = operations.arrayValue else {
            throw .badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        }
        var document = document
        for operation in operations { document = try one(operation, document) }
        return document
    }

    private static func one(_ operation: JSONValue, _ document: JSONValue) throws(APIStatus) -> JSONValue {
        guard let path = operation["path"]?.stringValue.map(pointer) else { throw .patchFailed }
        let value = operation["value"]
        switch operation["op"]?.stringValue {
        case "test":
            guard let found = read(document, path[...]), found == value ?? .null else { throw .patchFailed }
            return document
        case "add":
            guard let value else { throw .patchFailed }
            return try write(document, path[...], value, mustExist: false)
        case "replace":
            guard let value else { throw .patchFailed }
            return try write(document, path[...], value, mustExist: true)
        case "remove": return try write(document, path[...], nil, mustExist: true)
        case "copy", "move":
            guard let from = operation["from"]?.stringValue.map(pointer), let moved = read(document, from[...]) else {
                throw .patchFailed
            }
            let rest =
                operation["op"] == "move" ? try write(document, from[...], nil, mustExist: true) : document
            return try write(rest, path[...], moved, mustExist: false)
        default: throw .patchFailed
        }
    }

    private static func pointer(_ text: String) -> [String] {
        text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            .map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
    }

    private static func read(_ value: JSONValue, _ path: ArraySlice<String>) -> JSONValue? {
        guard let step = path.first else { return value }
        switch value {
        case .object(let object): return object[step].flatMap { read($0, path.dropFirst()) }
        case .array(let elements):
            guard let index = Int(step), elements.indices.contains(index) else { return nil }
            return read(elements[index], path.dropFirst())
        default: return nil
        }
    }

    private static func write(_ value: JSONValue, _ path: ArraySlice<String>, _ new: JSONValue?, mustExist: Bool)
        throws(APIStatus) -> JSONValue
    {
        guard let step = path.first else {
            guard let new else { throw .patchFailed }
            return new
        }
        let isLast = path.count == 1
        switch value {
        case .object(var object):
            if mustExist || !isLast, object[step] == nil { throw .patchFailed }
            object[step] =
                isLast ? new : try write(object[step] ?? .null, path.dropFirst(), new, mustExist: mustExist)
            return .object(object)
        case .array(var elements):
            let index = step == "-" ? elements.count : Int(step) ?? -1
            if isLast, !mustExist, let new, (0...elements.count).contains(index) {
                elements.insert(new, at: index)
            } else if elements.indices.contains(index) {
                if isLast, new == nil {
                    elements.remove(at: index)
                } else {
                    elements[index] = try write(elements[index], path.dropFirst(), new, mustExist: mustExist)
                }
            } else {
                throw .patchFailed
            }
            return .array(elements)
        default: throw .patchFailed
        }
    }
}

extension JSONValue {
    /// Sets (or with nil removes) what stands at a path of member names, making the objects on the way.
    mutating func set(_ path: String..., to value: JSONValue?) { self = setting(path[...], value) }

    private func setting(_ path: ArraySlice<String>, _ value: JSONValue?) -> JSONValue {
        guard let step = path.first else { return value ?? .null }
        var object = objectValue ?? JSONObject()
        if path.count == 1 {
            object[step] = value
        } else if value != nil || object[step] != nil {
            object[step] = (object[step] ?? .object([:])).setting(path.dropFirst(), value)
        }
        return .object(object)
    }
}
