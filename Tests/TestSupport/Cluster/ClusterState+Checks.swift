// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// What is refused before anything is changed, and deletion.
extension ClusterState {
    /// Holds an object against the URL it was sent to.
    func check(
        _ document: JSONValue, _ resource: ServedResource, namespace: String?, urlName: String?
    ) throws(APIStatus) -> ObjectName {
        let kind = document["kind"]?.stringValue ?? ""
        let apiVersion = document["apiVersion"]?.stringValue ?? ""
        guard kind == resource.kind, apiVersion == resource.apiVersion else {
            throw .badRequest(
                "\(kind) in version \"\(apiVersion.split(separator: "/").last ?? "")\" cannot be handled as a "
                    + "\(resource.kind): converting (\(kind)) to (\(resource.kind)): unknown conversion")
        }
        let given = document["metadata"]?["namespace"]?.stringValue
        let wanted = resource.resource.isNamespaced ? namespace ?? "" : ""
        if let given, given != wanted {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        let name = document["metadata"]?["name"]?.stringValue ?? ""
        if let urlName, name != urlName {
            throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(urlName))")
        }
        if name.isEmpty {
            throw .required(resource, "", field: "metadata.name", "name or generateName is required")
        }
        guard TextPattern.dnsSubdomain.accepts(name) else {
            throw .invalid(
                resource, name,
                [
                    .init(
                        reason: "FieldValueInvalid",
                        message:
                            "Invalid value: \"\(name)\": a lowercase RFC 1123 subdomain must consist of lower case "
                            + "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
                        field: "metadata.name")
                ])
        }
        return ObjectName(namespace: wanted, name: name)
    }

    /// Nothing is made in a namespace that is not there, or going.
    func checkNamespace(_ resource: ServedResource, _ name: ObjectName) throws(APIStatus) {
        guard resource.resource.isNamespaced, let namespaces = served.first(where: { $0.id == "/namespaces" }) else {
            return
        }
        let namespace = try read(namespaces, ObjectName(namespace: "", name: name.namespace))
        guard namespace.document["metadata"]?["deletionTimestamp"] != nil else { return }
        throw APIStatus(
            403, "Forbidden",
            "\(resource.qualifiedPlural) \"\(name.name)\" is forbidden: unable to create new content in namespace "
                + "\(name.namespace) because it is being terminated")
    }

    func checkVersion(
        of candidate: JSONValue, against before: JSONValue, _ resource: ServedResource, _ name: ObjectName
    ) throws(APIStatus) {
        let given = candidate["metadata"]?["resourceVersion"]?.stringValue ?? ""
        if !given.isEmpty, given != before["metadata"]?["resourceVersion"]?.stringValue {
            throw .modified(resource, name.name)
        }
        let uid = before["metadata"]?["uid"]?.stringValue ?? ""
        if let wanted = candidate["metadata"]?["uid"]?.stringValue, wanted != uid {
            throw .conflict(
                resource, name.name,
                "StorageError: invalid object, Code: 4, Key: /registry/\(resource.plural)/\(name.namespace)/\(name.name), "
                    + "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: \(wanted), "
                    + "UID in object meta: \(uid)")
        }
    }

    func checkFinalizers(
        _ new: JSONValue, _ before: JSONValue, _ resource: ServedResource, _ name: ObjectName
    ) throws(APIStatus) {
        guard before["metadata"]?["deletionTimestamp"] != nil else { return }
        let old = Self.finalizers(before)
        let added = Self.finalizers(new).filter { !old.contains($0) }
        guard !added.isEmpty else { return }
        let list = added.map { "\"\($0)\"" }.joined(separator: ", ")
        throw .invalid(
            resource, name.name,
            [
                .init(
                    reason: "FieldValueForbidden",
                    message: "Forbidden: no new finalizers can be added if the object is being deleted, found new "
                        + "finalizers []string{\(list)}", field: "metadata.finalizers")
            ])
    }

    /// DELETE: at once, or with finalizers marked.
    ///
    /// - Returns: a Success status, or the object that stays for its finalizers.
    mutating func delete(
        _ name: ObjectName, of resource: ServedResource, _ conditions: JSONValue?, _ options: WriteOptions
    ) throws(APIStatus) -> JSONValue {
        let old = try read(resource, name)
        let metadata = old.document["metadata"]
        let uid = metadata?["uid"]?.stringValue ?? ""
        let version = metadata?["resourceVersion"]?.stringValue ?? ""
        if let wanted = conditions?["preconditions"]?["uid"]?.stringValue, wanted != uid {
            throw .precondition(
                resource, name.name,
                "the UID in the precondition (\(wanted)) does not match the UID in record (\(uid)). The object might "
                    + "have been deleted and then recreated")
        }
        if let wanted = conditions?["preconditions"]?["resourceVersion"]?.stringValue, wanted != version {
            throw .precondition(
                resource, name.name,
                "the ResourceVersion in the precondition (\(wanted)) does not match the ResourceVersion in record "
                    + "(\(version)). The object might have been modified")
        }
        if resource.id == "/namespaces" { return try deleteNamespace(name, old, resource, options) }
        guard Self.finalizers(old.document).isEmpty else {
            return metadata?["deletionTimestamp"] != nil || options.dryRun
                ? old.document : mark(old, resource, name, options)
        }
        if !options.dryRun { remove(resource, name) }
        return Self.success(resource, name.name, uid)
    }

    private mutating func mark(
        _ old: Stored, _ resource: ServedResource, _ name: ObjectName, _ options: WriteOptions
    ) -> JSONValue {
        var new = old.document
        new.set("metadata", "deletionTimestamp", to: .string(options.now.rfc3339))
        new.set("metadata", "deletionGracePeriodSeconds", to: 0)
        if let generation = new["metadata"]?["generation"]?.intValue {
            new.set("metadata", "generation", to: .int(generation + 1))
        }
        return commit(new, old.managers, resource, name)
    }

    private mutating func deleteNamespace(
        _ name: ObjectName, _ old: Stored, _ resource: ServedResource, _ options: WriteOptions
    ) throws(APIStatus) -> JSONValue {
        var new = old.document
        new.set("metadata", "deletionTimestamp", to: .string(options.now.rfc3339))
        new.set("status", "phase", to: "Terminating")
        let answer = commit(new, old.managers, resource, name)
        let contents = contents(of: name.name)
        for (resource, name) in contents { _ = try delete(name, of: resource, nil, options) }
        if contents.isEmpty { remove(resource, name) }
        return answer
    }

    static func success(_ resource: ServedResource, _ name: String, _ uid: String) -> JSONValue {
        var details: JSONObject = ["name": .string(name)]
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(resource.plural)
        details["uid"] = .string(uid)
        return [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": .object(details),
        ]
    }
}
