// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Label selectors of objects in the text form of queries.
package enum SelectorText {
    /// `a=1,b in (2,3)`; nil for an empty selector, which would be everything, and for one that cannot be read.
    package static func text(_ selector: JSONValue?) -> String? {
        guard let selector = selector?.objectValue else { return nil }
        var parts: [String] = []
        for member in selector["matchLabels"]?.objectValue?.members ?? [] {
            guard let value = member.value.stringValue else { return nil }
            parts.append("\(member.name)=\(value)")
        }
        for expression in selector["matchExpressions"]?.arrayValue ?? [] {
            guard let key = expression["key"]?.stringValue else { return nil }
            let values = (expression["values"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ",")
            switch expression["operator"]?.stringValue {
            case "In": parts.append("\(key) in (\(values))")
            case "NotIn": parts.append("\(key) notin (\(values))")
            case "Exists": parts.append(key)
            case "DoesNotExist": parts.append("!\(key)")
            default: return nil
            }
        }
        return parts.isEmpty ? nil : parts.sorted().joined(separator: ",")
    }
}
