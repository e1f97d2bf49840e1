// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A request on its way to its answer.
struct IncomingRequest: Sendable {
    let method: String
    let path: String
    let query: [String: String]
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    let connection: Int

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// Whether only metadata is wanted.
    var isMetadataOnly: Bool { header("accept")?.contains("as=PartialObjectMetadata") == true }

    /// The body as JSON.
    func json() throws(APIStatus) -> JSONValue {
        do throws(JSONParser.Failure) {
            return try JSONParser.parse(body)
        } catch {
            throw .badRequest("error decoding YAML: error converting YAML to JSON: \(error)")
        }
    }

    /// The body as an object of a resource.
    func document(_ resource: ServedResource) throws(APIStatus) -> JSONValue {
        do throws(JSONParser.Failure) {
            return try JSONParser.parse(body)
        } catch {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(resource.kind)): couldn't get version/kind; "
                    + "json parse error: \(error)")
        }
    }
}

/// The Scale object of what has replicas.
enum ScaleSubresource {
    static func scale(of document: JSONValue) -> JSONValue {
        let metadata = document["metadata"]
        var own = JSONObject()
        for member in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            own[member] = metadata?[member]
        }
        let labels = document["spec"]?["selector"]?["matchLabels"]?.objectValue?.members ?? []
        let selector = labels.map { "\($0.name)=\($0.value.stringValue ?? "")" }.sorted().joined(separator: ",")
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": .object(own),
            "spec": ["replicas": document["spec"]?["replicas"] ?? 1],
            "status": ["replicas": document["status"]?["replicas"] ?? 0, "selector": .string(selector)],
        ]
    }

    /// The document with the replicas, and the precondition, of a Scale.
    static func scaled(_ document: JSONValue, to scale: JSONValue) -> JSONValue {
        var result = document
        result.set("spec", "replicas", to: scale["spec"]?["replicas"])
        if let version = scale["metadata"]?["resourceVersion"] {
            result.set("metadata", "resourceVersion", to: version)
        }
        return result
    }
}
