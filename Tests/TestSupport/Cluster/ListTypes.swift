// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Synchronization

/// How the lists of a resource are merged: read from the CustomResourceDefinition, for built-in kinds from a table.
struct ListTypes: Sendable {
    enum ListType: Sendable {
        case atomic, set
        case map(keys: [String])
    }

    private let byPath: [String: ListType]?

    private static let known = Mutex<[ResourceKind: [String: ListType]]>([:])

    /// Of a resource.
    init(_ resource: ServedResource) {
        byPath = resource.ownKind.map { kind in
            Self.known.withLock { known in
                if let types = known[kind] { return types }
                var types: [String: ListType] = [:]
                // A definition that is no YAML has no lists; the test of the definitions says so.
                let definition = try? YAMLText.json(CustomResourceDefinitions.yaml(kind))
                if let schema = definition?["spec"]?["versions"]?.arrayValue?.first?["schema"]?["openAPIV3Schema"] {
                    Self.collect(schema, at: "", into: &types)
                }
                known[kind] = types
                return types
            }
        }
    }

    private static func collect(_ schema: JSONValue, at path: String, into types: inout [String: ListType]) {
        for member in schema["properties"]?.objectValue?.members ?? [] {
            collect(member.value, at: "\(path).\(member.name)", into: &types)
        }
        guard let items = schema["items"] else { return }
        switch schema["x-kubernetes-list-type"]?.stringValue {
        case "set": types[path] = .set
        case "map":
            types[path] = .map(
                keys: schema["x-kubernetes-list-map-keys"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        default: types[path] = .atomic
        }
        collect(items, at: path + "[]", into: &types)
    }

    private static let builtIn: [String: ListType] = [
        "finalizers": .set, "ownerReferences": .map(keys: ["uid"]), "conditions": .map(keys: ["type"]),
        "containers": .map(keys: ["name"]), "initContainers": .map(keys: ["name"]), "env": .map(keys: ["name"]),
        "volumes": .map(keys: ["name"]), "volumeMounts": .map(keys: ["mountPath"]),
    ]

    /// Of the list at a path such as `.status.conditions`, `[]` standing for the elements of a list on the way.
    subscript(path: String) -> ListType {
        if let byPath, !path.hasPrefix(".metadata") { return byPath[path] ?? .atomic }
        return Self.builtIn[String(path.split(separator: ".").last ?? "")] ?? .atomic
    }
}
