// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// The verbs that change objects.
extension ClusterState {
    mutating func create(
        _ document: JSONValue, in resource: ServedResource, namespace: String?, _ options: WriteOptions
    ) throws(APIStatus) -> JSONValue {
        let name = try check(document, resource, namespace: namespace, urlName: nil)
        guard stored(resource, name) == nil else { throw .alreadyExists(resource, name.name) }
        return try make(document, resource, name, options) { writer, paths, new, managers in
            managers.update(writer, from: [:], to: paths.leaves(of: new))
        }
    }

    private mutating func make(
        _ document: JSONValue, _ resource: ServedResource, _ name: ObjectName, _ options: WriteOptions,
        operation: String = "Update",
        own: (FieldManagers.Entry, FieldPaths, JSONValue, inout FieldManagers) -> Void
    ) throws(APIStatus) -> JSONValue {
        try checkNamespace(resource, name)
        var new = document
        if resource.hasStatus { new.set("status", to: nil) }
        if resource.id == "/namespaces" {
            new.set("spec", "finalizers", to: ["kubernetes"])
            new.set("status", "phase", to: "Active")
        }
        new = try OwnKindRules.admit(new, replacing: nil, resource: resource, name: name.name, strict: options.strict)
        try BuiltInRules.check(new, resource, name.name)
        new = Self.withEncodedData(new, resource)
        new.set("metadata", "namespace", to: name.namespace.isEmpty ? Optional.none : .string(name.namespace))
        new.set("metadata", "uid", to: .string(nextUID()))
        new.set("metadata", "creationTimestamp", to: .string(options.now.rfc3339))
        new.set("metadata", "generation", to: resource.hasGeneration ? 1 : Optional.none)
        for member in ["deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "resourceVersion"] {
            new.set("metadata", member, to: nil)
        }
        let paths = FieldPaths(ListTypes(resource))
        var managers = FieldManagers()
        own(writer(options, operation, nil, resource), paths, new, &managers)
        if options.dryRun { return new }
        return commit(new, managers, resource, name)
    }

    /// PUT.
    mutating func replace(
        _ document: JSONValue, at name: ObjectName, of resource: ServedResource, subresource: String?,
        _ options: WriteOptions
    ) throws(APIStatus) -> JSONValue {
        _ = try check(document, resource, namespace: name.namespace, urlName: name.name)
        guard let old = stored(resource, name) else {
            guard resource.createsOnUpdate, subresource == nil else { throw .notFound(resource, name.name) }
            return try create(document, in: resource, namespace: name.namespace, options)
        }
        let given = document["metadata"]?["resourceVersion"]?.stringValue ?? ""
        if given.isEmpty, !resource.allowsUnconditionalUpdate {
            var status = APIStatus.invalid(
                resource, name.name,
                [
                    .init(
                        reason: "FieldValueInvalid", message: "Invalid value: 0: must be specified for an update",
                        field: "metadata.resourceVersion")
                ])
            status.kind = resource.plural
            throw status
        }
        return try change(old, to: document, resource, name, subresource, options)
    }

    /// PATCH other than apply.
    mutating func patch(
        _ name: ObjectName, of resource: ServedResource, subresource: String?, _ options: WriteOptions,
        _ body: (JSONValue) throws(APIStatus) -> JSONValue
    ) throws(APIStatus) -> JSONValue {
        let old = try read(resource, name)
        let new = try body(old.document)
        _ = try check(new, resource, namespace: name.namespace, urlName: name.name)
        return try change(old, to: new, resource, name, subresource, options)
    }

    /// Server-side apply.
    mutating func apply(
        _ document: JSONValue, at name: ObjectName, of resource: ServedResource, subresource: String?,
        _ options: WriteOptions
    ) throws(APIStatus) -> JSONValue {
        if document["metadata"]?["managedFields"] != nil { throw .badRequest("metadata.managedFields must be nil") }
        _ = try check(document, resource, namespace: name.namespace, urlName: name.name)
        let paths = FieldPaths(ListTypes(resource))
        let config = Self.part(of: Self.withEncodedData(document, resource), resource, subresource)
        let wanted = paths.leaves(of: config)
        guard let old = stored(resource, name) else {
            guard subresource == nil else { throw .notFound(resource, name.name) }
            return try make(document, resource, name, options, operation: "Apply") { applier, _, _, managers in
                managers.apply(applier, live: [:], wanted: wanted)
            }
        }
        let live = paths.leaves(of: old.document)
        let applier = writer(options, "Apply", subresource, resource)
        if !options.force {
            let conflicts = old.managers.conflicts(with: applier, live: live, wanted: wanted)
            guard conflicts.isEmpty else { throw .applyConflict(conflicts) }
        }
        var managers = old.managers
        let gone = managers.abandoned(by: applier, wanted: Set(wanted.keys))
        managers.apply(applier, live: live, wanted: wanted)
        let kept = paths.removing(gone, from: old.document) ?? .object([:])
        let new = paths.merge(config, over: kept)
        return try change(old, to: new, resource, name, subresource, options, managers: managers)
    }

    /// What of a document one door takes: `status`, or everything else.
    private static func part(of document: JSONValue, _ resource: ServedResource, _ subresource: String?) -> JSONValue {
        var part = document
        if subresource == "status" {
            part = .object(["status": document["status"] ?? .object([:])])
            part.set("metadata", "resourceVersion", to: document["metadata"]?["resourceVersion"])
        } else if resource.hasStatus {
            part.set("status", to: nil)
        }
        return part
    }

    /// `stringData` becomes `data`, as the server stores it.
    private static func withEncodedData(_ document: JSONValue, _ resource: ServedResource) -> JSONValue {
        guard resource.id == "/secrets" else { return document }
        var result = document
        for member in document["stringData"]?.objectValue?.members ?? [] {
            result.set("data", member.name, to: .string(BuiltInRules.base64(member.value.stringValue ?? "")))
        }
        result.set("stringData", to: nil)
        if result["type"] == nil { result.set("type", to: "Opaque") }
        return result
    }

    private mutating func change(
        _ old: Stored, to candidate: JSONValue, _ resource: ServedResource, _ name: ObjectName,
        _ subresource: String?, _ options: WriteOptions, managers applied: FieldManagers? = nil
    ) throws(APIStatus) -> JSONValue {
        let before = old.document
        try checkVersion(of: candidate, against: before, resource, name)
        var new = subresource == "status" ? before : Self.withEncodedData(candidate, resource)
        if subresource == "status" {
            new.set("status", to: candidate["status"])
        } else if resource.hasStatus {
            new.set("status", to: before["status"])
        }
        for member in [
            "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
            "managedFields", "resourceVersion", "namespace",
        ] { new.set("metadata", member, to: before["metadata"]?[member]) }
        try checkFinalizers(new, before, resource, name)
        new = try OwnKindRules.admit(
            new, replacing: before, resource: resource, name: name.name, strict: options.strict)
        try BuiltInRules.check(new, resource, name.name)
        if resource.hasGeneration, Self.body(new) != Self.body(before) {
            new.set("metadata", "generation", to: .int((before["metadata"]?["generation"]?.intValue ?? 0) + 1))
        }
        let paths = FieldPaths(ListTypes(resource))
        var managers = applied ?? old.managers
        if applied == nil {
            managers.update(
                writer(options, "Update", subresource, resource), from: paths.leaves(of: before),
                to: paths.leaves(of: new))
        }
        if options.dryRun {
            new.set("metadata", "managedFields", to: managers.document)
            return new
        }
        if new["metadata"]?["deletionTimestamp"] != nil, Self.finalizers(new).isEmpty {
            remove(resource, name)
            return new
        }
        if new == before, managers.ownsTheSame(as: old.managers) { return before }
        return commit(new, managers, resource, name)
    }

    /// What counts for the generation.
    private static func body(_ document: JSONValue) -> JSONObject {
        var body = document.objectValue ?? JSONObject()
        for member in ["apiVersion", "kind", "metadata", "status"] { body[member] = nil }
        return body
    }

    static func finalizers(_ document: JSONValue) -> [String] {
        document["metadata"]?["finalizers"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    private func writer(
        _ options: WriteOptions, _ operation: String, _ subresource: String?, _ resource: ServedResource
    ) -> FieldManagers.Entry {
        FieldManagers.Entry(
            manager: options.manager, operation: operation, subresource: subresource, apiVersion: resource.apiVersion,
            time: options.now.rfc3339, paths: [])
    }
}
