// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Yams

/// Reads YAML for tests that need a document before the product's own reader comes in.
package enum YAMLText {
    /// What a test's YAML cannot be.
    package struct Unsupported: Error {}

    /// The one document as JSON.
    package static func json(_ text: String) throws -> JSONValue {
        guard let node = try Yams.compose(yaml: text) else { return .null }
        return try value(node)
    }

    /// Every document of a stream as JSON; an empty one is left out.
    package static func documents(_ text: String) throws -> [JSONValue] {
        try Yams.compose_all(yaml: text).map(value).filter { !$0.isNull }
    }

    private static func value(_ node: Node) throws -> JSONValue {
        switch node {
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, member) in mapping {
                guard let name = key.scalar?.string else { throw Unsupported() }
                object[name] = try value(member)
            }
            return .object(object)
        case .sequence(let sequence): return .array(try sequence.map(value))
        case .scalar(let scalar):
            if scalar.style == .plain {
                if ["null", "~", ""].contains(scalar.string) { return .null }
                if scalar.string == "true" { return true }
                if scalar.string == "false" { return false }
                if let number = Int64(scalar.string) { return .int(number) }
            }
            return .string(scalar.string)
        default: throw Unsupported()
        }
    }
}
