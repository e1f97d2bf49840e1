// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A member of a document with its place, for reading what must be there.
struct WireObject {
    let object: JSONObject
    let place: String

    init(_ object: JSONObject, at place: String = "") {
        self.object = object
        self.place = place
    }

    func path(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    func fault(_ name: String, _ message: String) -> SidecarDocumentError {
        SidecarDocumentError(.malformed, at: path(name), message)
    }

    /// The member; nil when it is absent or null.
    func value(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func optionalText(_ name: String) throws(SidecarDocumentError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue else { throw fault(name, "is a \(value.kindName), not a text") }
        return text
    }

    func text(_ name: String) throws(SidecarDocumentError) -> String {
        guard let text = try optionalText(name) else { throw fault(name, "is missing") }
        return text
    }

    func flag(_ name: String) throws(SidecarDocumentError) -> Bool {
        guard let flag = value(name)?.boolValue else { throw fault(name, "is not true or false") }
        return flag
    }

    func optionalInteger(_ name: String) throws(SidecarDocumentError) -> Int64? {
        guard let value = value(name) else { return nil }
        guard let number = value.intValue else { throw fault(name, "is not a whole number") }
        return number
    }

    func integer(_ name: String) throws(SidecarDocumentError) -> Int64 {
        guard let number = try optionalInteger(name) else { throw fault(name, "is missing") }
        return number
    }

    func texts(_ name: String) throws(SidecarDocumentError) -> [String] {
        let list = try list(name)
        let texts = list.compactMap(\.stringValue)
        guard texts.count == list.count else { throw fault(name, "is not a list of texts") }
        return texts
    }

    func list(_ name: String) throws(SidecarDocumentError) -> [JSONValue] {
        guard let list = value(name)?.arrayValue else { throw fault(name, "is not a list") }
        return list
    }

    func optionalMember(_ name: String) throws(SidecarDocumentError) -> WireObject? {
        guard let value = value(name) else { return nil }
        guard let object = value.objectValue else { throw fault(name, "is a \(value.kindName), not an object") }
        return WireObject(object, at: path(name))
    }

    func member(_ name: String) throws(SidecarDocumentError) -> WireObject {
        guard let member = try optionalMember(name) else { throw fault(name, "is missing") }
        return member
    }

    /// Reads each element of a list of objects.
    func each<Value>(
        _ name: String, _ read: (WireObject) throws(SidecarDocumentError) -> Value
    ) throws(SidecarDocumentError) -> [Value] {
        var result: [Value] = []
        for (index, value) in try list(name).enumerated() {
            let place = "\(path(name))[\(index)]"
            guard let object = value.objectValue else {
                throw SidecarDocumentError(.malformed, at: place, "is a \(value.kindName), not an object")
            }
            result.append(try read(WireObject(object, at: place)))
        }
        return result
    }

    /// One of the values of an enumeration.
    func choice<Value: RawRepresentable<String>>(
        _ name: String, _ type: Value.Type
    ) throws(SidecarDocumentError) -> Value {
        let text = try text(name)
        guard let value = Value(rawValue: text) else {
            throw SidecarDocumentError(.invalid, at: path(name), "\(text.prefix(64)) is not known here")
        }
        return value
    }
}
