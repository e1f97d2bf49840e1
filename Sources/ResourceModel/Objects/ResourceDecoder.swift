// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What became of a document.
package struct DecodedResource: Sendable {
    /// Which object it is; nil when that cannot be told or the kind is not one of ours.
    package var key: ObjectKey?
    /// The object, when there are no problems.
    package var object: ManifestObject?
    /// Everything that is wrong.
    package var problems: [FieldProblem]
    /// The kind is none that Tollgate reads; `problems` has one line that says so, and it is a warning.
    package var isForeignKind = false
    /// What an AuthConfig names as hosts, even when the object is refused: they stay closed, they do not fall to another object.
    package var claimedHosts: [String] = []
}

/// Reads objects from documents.
package enum ResourceDecoder {
    /// Reads one object, with every problem at once.
    package static func decode(_ document: JSONValue, defaultNamespace: String = "default") -> DecodedResource {
        var result = DecodedResource(problems: [])
        guard let object = document.objectValue else {
            result.problems = [FieldProblem(FieldPath(), "is a \(document.kindName); write an object")]
            return result
        }
        guard let kind = kind(of: object, &result) else { return result }
        let checked = SchemaValidator.validate(document, against: EnvelopeSchema.envelope(kind))
        result.problems = checked.problems
        let meta = object["metadata"]
        if kind == .authConfig {
            result.claimedHosts = object["spec"]?["hosts"]?.arrayValue?.prefix(64).compactMap(\.stringValue) ?? []
        }
        let namespace = meta?["namespace"]?.stringValue ?? defaultNamespace
        guard let name = meta?["name"]?.stringValue, TextPattern.dnsSubdomain.accepts(name),
            TextPattern.dnsLabel.accepts(namespace)
        else { return result }
        result.key = ObjectKey(kind: kind, namespace: namespace, name: name)
        guard result.problems.isEmpty else { return result }
        let metadata = metadata(checked.value["metadata"], name: name, namespace: namespace)
        build(kind, checked.value, metadata, &result)
        return result
    }

    private static func kind(of object: JSONObject, _ result: inout DecodedResource) -> ResourceKind? {
        guard let apiVersion = object["apiVersion"]?.stringValue, let name = object["kind"]?.stringValue else {
            for member in ["apiVersion", "kind"] where object[member]?.stringValue == nil {
                result.problems.append(
                    FieldProblem(FieldPath([.member(member)]), "is missing; write a text such as that of the samples"))
            }
            return nil
        }
        let isOurs = apiVersion.hasPrefix(ResourceKind.group + "/")
        guard let kind = ResourceKind(rawValue: name), kind.isOwn == isOurs || apiVersion == kind.apiVersion else {
            result.isForeignKind = !isOurs
            result.problems = [
                FieldProblem(
                    FieldPath([.member("kind")]),
                    isOurs
                        ? "is none of this group; write one of: AuthConfig, ServiceToken, Subscription, ToolManifest"
                        : "is not read by Tollgate; the object is left out")
            ]
            return nil
        }
        guard apiVersion == kind.apiVersion else {
            result.isForeignKind = !kind.isOwn
            result.problems = [
                FieldProblem(FieldPath([.member("apiVersion")]), "is another version; write \(kind.apiVersion)")
            ]
            return nil
        }
        return kind
    }

    private static func metadata(_ value: JSONValue?, name: String, namespace: String) -> ObjectMeta {
        func texts(_ member: String) -> [String: String] {
            let pairs = value?[member]?.objectValue?.members.map { ($0.name, $0.value.stringValue ?? "") } ?? []
            return Dictionary(pairs) { _, last in last }
        }
        return ObjectMeta(
            name: name, namespace: namespace, labels: texts("labels"), annotations: texts("annotations"),
            creationTimestamp: value?["creationTimestamp"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
                .map(TextInstant.init))
    }

    private static func build(
        _ kind: ResourceKind, _ value: JSONValue, _ metadata: ObjectMeta, _ result: inout DecodedResource
    ) {
        switch kind {
        case .authConfig: result.object = custom(value, metadata, &result).map(ManifestObject.authConfig)
        case .serviceToken: result.object = custom(value, metadata, &result).map(ManifestObject.serviceToken)
        case .subscription: result.object = custom(value, metadata, &result).map(ManifestObject.subscription)
        case .toolManifest: result.object = custom(value, metadata, &result).map(ManifestObject.toolManifest)
        case .secret:
            var data = bytes(value, "data", &result).mapValues { Redacted($0) }
            for member in value["stringData"]?.objectValue?.members ?? [] {
                data[member.name] = Redacted(Array((member.value.stringValue ?? "").utf8))
            }
            result.object = .secret(
                Secret(metadata: metadata, data: data, type: value["type"]?.stringValue ?? "Opaque"))
        case .configMap:
            let members = value["data"]?.objectValue?.members ?? []
            let texts = Dictionary(members.map { ($0.name, $0.value.stringValue ?? "") }) { _, last in last }
            result.object = .configMap(
                ConfigMap(metadata: metadata, data: texts, binaryData: bytes(value, "binaryData", &result)))
        }
        if !result.problems.isEmpty { result.object = nil }
    }

    private static func custom<Spec: ResourceSpec>(
        _ value: JSONValue, _ metadata: ObjectMeta, _ result: inout DecodedResource
    ) -> CustomResource<Spec>? {
        let document = value["spec"] ?? .object([:])
        do {
            let spec = try JSONValueDecoder.decode(Spec.self, from: document)
            return CustomResource(
                metadata: metadata, spec: spec, specDocument: document, status: value["status"])
        } catch {
            result.problems.append(FieldProblem(FieldPath([.member("spec")]), "cannot be read"))
            return nil
        }
    }

    private static func bytes(_ value: JSONValue, _ member: String, _ result: inout DecodedResource)
        -> [String: [UInt8]]
    {
        var all: [String: [UInt8]] = [:]
        for entry in value[member]?.objectValue?.members ?? [] {
            if let bytes = Base64.decode(entry.value.stringValue ?? "") {
                all[entry.name] = bytes
            } else {
                result.problems.append(
                    FieldProblem(
                        FieldPath([.member(member), .member(entry.name)]),
                        "is not base64; encode it, or write plain text below \(member == "data" ? "stringData" : "data")"
                    ))
            }
        }
        return all
    }
}
