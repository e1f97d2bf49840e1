// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Finds values in the claims of a token: at the top, and in the objects `tollgate` and `orcheo`.
struct ClaimReader {
    let claims: JSONObject
    private let objects: [JSONObject]

    init(_ claims: JSONObject) {
        self.claims = claims
        objects = [claims] + ["tollgate", "orcheo"].compactMap { claims[$0]?.objectValue }
    }

    /// The first text at the top that is not blank.
    func text(_ names: String...) -> String? { Self.text(names, in: claims) }

    /// The first text that is not blank, at the top, then in `tollgate`, then in `orcheo`.
    func nestedText(_ names: String...) -> String? {
        for object in objects {
            if let text = Self.text(names, in: object) { return text }
        }
        return nil
    }

    /// The first text at the top that is not blank, where numbers count as text.
    func textOrNumber(_ names: String...) -> String? {
        for name in names {
            switch claims[name] {
            case .string(let text) where !ASCII.trimmed(text).isEmpty: return text
            case .some(let number) where number.kindName == "number": return number.jsonText
            default: continue
            }
        }
        return nil
    }

    /// Every value of these names, at the top and in both objects.
    func nestedValues(_ names: String...) -> [JSONValue] {
        objects.flatMap { object in names.compactMap { object[$0] } }
    }

    private static func text(_ names: [String], in object: JSONObject) -> String? {
        for name in names {
            if let text = object[name]?.stringValue, !ASCII.trimmed(text).isEmpty { return text }
        }
        return nil
    }
}
