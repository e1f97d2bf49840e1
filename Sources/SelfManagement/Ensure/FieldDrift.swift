// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where an object differs from what it shall be.
package struct FieldDrift: Sendable, Hashable {
    /// As in `spec.template.spec.containers[name=tollgate].image`.
    package let path: String
    package let before: JSONValue
    package let after: JSONValue

    /// What the server counts itself.
    private static let uncounted: Set<String> = [
        "managedFields", "resourceVersion", "generation", "uid", "creationTimestamp",
    ]
    private static let most = 64

    /// The fields that differ, in the order of the wanted object; at most 64.
    package static func between(_ present: JSONValue, and wanted: JSONValue) -> [FieldDrift] {
        var found: [FieldDrift] = []
        for name in ["metadata", "spec"] {
            compare(present[name] ?? .null, wanted[name] ?? .null, name, &found)
        }
        return found.filter { drift in
            !(drift.path.hasPrefix("metadata.") && uncounted.contains(String(drift.path.dropFirst(9))))
        }
    }

    private static func compare(_ left: JSONValue, _ right: JSONValue, _ path: String, _ found: inout [FieldDrift]) {
        guard left != right, found.count < most else { return }
        switch (left, right) {
        case (.object(let left), .object(let right)):
            for member in right.members where path != "metadata" || !uncounted.contains(member.name) {
                compare(left[member.name] ?? .null, member.value, "\(path).\(member.name)", &found)
            }
            for member in left.members where right[member.name] == nil {
                guard path != "metadata" || !uncounted.contains(member.name) else { continue }
                compare(member.value, .null, "\(path).\(member.name)", &found)
            }
        case (.array(let left), .array(let right)):
            compareLists(left, right, path, &found)
        default: found.append(FieldDrift(path: path, before: shown(left, path), after: shown(right, path)))
        }
    }

    private static func compareLists(
        _ left: [JSONValue], _ right: [JSONValue], _ path: String, _ found: inout [FieldDrift]
    ) {
        let names = right.compactMap { $0["name"]?.stringValue }
        if names.count == right.count, Set(names).count == names.count, left.allSatisfy({ $0["name"] != nil }) {
            for element in right {
                let name = element["name"]?.stringValue ?? ""
                let other = left.first { $0["name"]?.stringValue == name } ?? .null
                compare(other, element, "\(path)[name=\(name)]", &found)
            }
            for element in left {
                let name = element["name"]?.stringValue ?? ""
                if !names.contains(name) { compare(element, .null, "\(path)[name=\(name)]", &found) }
            }
        } else {
            for index in 0..<max(left.count, right.count) {
                compare(
                    index < left.count ? left[index] : .null, index < right.count ? right[index] : .null,
                    "\(path)[\(index)]", &found)
            }
        }
    }

    /// What may be recorded of a value: nothing of the environment, nothing long, and of what has parts only their names.
    private static func shown(_ value: JSONValue, _ path: String) -> JSONValue {
        guard !value.isNull else { return .null }
        guard !path.contains(".env[") && !path.contains(".env.") && !path.hasSuffix(".env") else {
            return "(not shown)"
        }
        switch value {
        case .string(let text): return .string(BoundedText.cut(text, bytes: 200))
        case .int, .bool: return value
        case .object(let object):
            return .string(BoundedText.cut("{\(object.names.joined(separator: ", "))}", bytes: 200))
        case .array(let elements): return .string("\(elements.count) elements")
        case .double, .null: return .string(String(decoding: value.encoded(), as: UTF8.self))
        }
    }
}
