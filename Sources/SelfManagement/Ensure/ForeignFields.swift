// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// Takes out of a document what others hold, as the server names it in a conflict.
package enum ForeignFields {
    /// The fields that the server would not have applied: `.spec.template.spec.containers[name="tollgate"].image`.
    package static func paths(_ error: KubernetesError) -> [String] {
        error.causes.map(\.field).filter { $0.hasPrefix(".") }
    }

    /// The document without them. A path that leads nowhere changes nothing.
    package static func removing(_ paths: [String], from document: JSONValue) -> JSONValue {
        paths.reduce(document) { remove(Substring($1), from: $0) }
    }

    private static func remove(_ path: Substring, from value: JSONValue) -> JSONValue {
        switch value {
        case .object(var object):
            guard path.first == "." else { return value }
            let rest = path.dropFirst()
            // Names hold dots: the longest that fits is meant.
            let fitting = object.names.filter { name in
                guard rest.hasPrefix(name) else { return false }
                let next = rest.dropFirst(name.count).first
                return next == nil || next == "." || next == "["
            }
            guard let name = fitting.max(by: { $0.count < $1.count }), let member = object[name] else { return value }
            let behind = rest.dropFirst(name.count)
            object[name] = behind.isEmpty ? JSONValue?.none : remove(behind, from: member)
            return .object(object)
        case .array(let elements):
            guard path.first == "[", let close = path.firstIndex(of: "]") else { return value }
            let keys = self.keys(path[path.index(after: path.startIndex)..<close])
            let behind = path[path.index(after: close)...]
            guard !keys.isEmpty else { return value }
            return .array(
                elements.compactMap { element in
                    guard keys.allSatisfy({ element[$0.name] == $0.value }) else { return element }
                    return behind.isEmpty ? JSONValue?.none : remove(behind, from: element)
                })
        default: return value
        }
    }

    /// `containerPort=8080,protocol="TCP"`.
    private static func keys(_ text: Substring) -> [(name: String, value: JSONValue)] {
        text.split(separator: ",").compactMap { part in
            guard let equals = part.firstIndex(of: "=") else { return nil }
            let name = String(part[..<equals])
            let value = part[part.index(after: equals)...]
            if value.hasPrefix("\""), value.hasSuffix("\""), value.count >= 2 {
                return (name, .string(String(value.dropFirst().dropLast())))
            }
            return Int64(value).map { (name, .int($0)) }
        }
    }
}
