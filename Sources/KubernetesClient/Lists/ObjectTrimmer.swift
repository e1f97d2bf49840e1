// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Leaves out of an object what nobody here reads and what is often larger than the rest.
enum ObjectTrimmer {
    private static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

    /// The object without `metadata.managedFields` and the annotation that kubectl keeps its own copy in.
    static func trimmed(_ value: JSONValue) -> JSONValue {
        guard case .object(var object) = value, case .object(var metadata)? = object["metadata"] else { return value }
        metadata["managedFields"] = nil
        if case .object(var annotations)? = metadata["annotations"], annotations[lastApplied] != nil {
            annotations[lastApplied] = nil
            metadata["annotations"] = annotations.isEmpty ? nil : .object(annotations)
        }
        object["metadata"] = .object(metadata)
        return .object(object)
    }

    /// The items of a list of a built-in kind come without `apiVersion` and `kind`; an object of its own has both.
    static func named(_ value: JSONValue, apiVersion: String, kind: String) -> JSONValue {
        guard case .object(let object) = value, object["kind"] == nil || object["apiVersion"] == nil else {
            return value
        }
        var named: JSONObject = ["apiVersion": .string(apiVersion), "kind": .string(kind)]
        for member in object.members { named[member.name] = member.value }
        return .object(named)
    }
}
