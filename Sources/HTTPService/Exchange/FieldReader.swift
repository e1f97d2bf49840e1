// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads members of a body by name and kind, collecting every bad value for one `request.invalid`.
struct FieldReader {
    /// What stands in front of every path, as `requests[3].`.
    let path: String
    private var faults: [(field: String, reason: String)] = []

    init(path: String = "") { self.path = path }

    /// Notes a bad value.
    mutating func fault(_ field: String, _ reason: String) { faults.append((path + field, reason)) }

    /// Refuses members that are not known.
    ///
    /// - Throws: `request.malformed` naming them.
    func checkMembers(of object: JSONObject, known: Set<String>, in parent: String = "") throws(Refusal) {
        try BodyReader.checkMembers(
            of: object, known: known, in: parent.isEmpty ? String(path.dropLast(path.isEmpty ? 0 : 1)) : path + parent)
    }

    /// A text; null is absent.
    mutating func text(_ object: JSONObject, _ name: String, in parent: String = "", required: Bool = false) -> String?
    {
        switch object[name] {
        case .string(let text): return text
        case .none, .null:
            if required { fault(Self.join(parent, name), "required") }
        case .some: fault(Self.join(parent, name), "not a text")
        }
        return nil
    }

    /// A list of texts; null is the empty list.
    mutating func texts(_ object: JSONObject, _ name: String) -> [String] {
        switch object[name] {
        case .none, .null: return []
        case .array(let elements):
            let texts = elements.compactMap(\.stringValue)
            if texts.count != elements.count { fault(name, "not a list of texts") }
            if texts.count > 256 { fault(name, "more than 256 texts") }
            return texts
        case .some:
            fault(name, "not a list of texts")
            return []
        }
    }

    /// A truth value; null is false.
    mutating func flag(_ object: JSONObject, _ name: String) -> Bool {
        switch object[name] {
        case .none, .null: return false
        case .bool(let value): return value
        case .some:
            fault(name, "not true or false")
            return false
        }
    }

    /// An object; null is absent.
    mutating func object(
        _ object: JSONObject, _ name: String, in parent: String = "", required: Bool = false
    ) -> JSONObject? {
        switch object[name] {
        case .object(let inner): return inner
        case .none, .null:
            if required { fault(Self.join(parent, name), "required") }
        case .some: fault(Self.join(parent, name), "not an object")
        }
        return nil
    }

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

    private static func join(_ parent: String, _ name: String) -> String {
        parent.isEmpty ? name : "\(parent).\(name)"
    }
}
