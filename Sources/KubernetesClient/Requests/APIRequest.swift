// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// What is asked of the server, before it is an HTTP request.
struct APIRequest: Sendable, Equatable {
    /// The methods of the API; also the label values of the metrics.
    enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    static let json = "application/json"
    /// Under which name Tollgate keeps the fields that it writes.
    static let tollgate = "tollgate"
    private static let partialObject = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    private static let partialList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

    var method: Method
    /// Path and query, percent-encoded.
    var target: String
    var accept = Self.json
    var contentType: String?
    var body: [UInt8]?

    private init(
        _ method: Method, _ path: String, query: [(name: String, value: String)] = [], contentType: String? = nil,
        body: [UInt8]? = nil
    ) {
        self.method = method
        let text = query.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&")
        target = Self.encoded(path, keeping: "/:") + (text.isEmpty ? "" : "?\(text)")
        self.contentType = contentType
        self.body = body
    }

    static func get(_ object: APIObjectReference, subresource: String?) -> APIRequest {
        APIRequest(.get, path(of: object, subresource))
    }

    static func list(_ query: ListQuery) -> APIRequest {
        let selection = query.selection
        var parameters = selectors(of: selection)
        parameters.append(("limit", String(query.limit)))
        if let token = query.continueToken { parameters.append(("continue", token)) }
        var request = APIRequest(
            .get, selection.resource.path(namespace: selection.namespace), query: parameters)
        if selection.metadataOnly { request.accept = partialList }
        return request
    }

    static func watch(_ query: WatchQuery) -> APIRequest {
        let selection = query.selection
        var parameters = selectors(of: selection)
        parameters.append(("watch", "true"))
        parameters.append(("allowWatchBookmarks", "true"))
        parameters.append(("timeoutSeconds", String(query.timeoutSeconds)))
        if query.sendsInitialEvents {
            parameters.append(("sendInitialEvents", "true"))
            parameters.append(("resourceVersionMatch", "NotOlderThan"))
        }
        if let version = query.resourceVersion { parameters.append(("resourceVersion", version)) }
        var request = APIRequest(
            .get, selection.resource.path(namespace: selection.namespace), query: parameters)
        if selection.metadataOnly { request.accept = partialObject }
        return request
    }

    static func create(
        _ object: JSONValue, in resource: APIResource, namespace: String?, name: String?, subresource: String?,
        manager: String = tollgate
    ) -> APIRequest {
        APIRequest(
            .post, resource.path(namespace: namespace, name: name, subresource: subresource), query: field(manager),
            contentType: json, body: object.encoded())
    }

    static func replace(
        _ object: JSONValue, at reference: APIObjectReference, subresource: String?, manager: String = tollgate
    ) -> APIRequest {
        APIRequest(
            .put, path(of: reference, subresource), query: field(manager), contentType: json, body: object.encoded())
    }

    static func patch(
        _ reference: APIObjectReference, subresource: String?, _ patch: PatchBody, manager: String = tollgate
    ) -> APIRequest {
        var query = field(manager)
        let contentType: String
        let document: JSONValue
        switch patch {
        case .apply(let object, let force, let dryRun):
            contentType = "application/apply-patch+yaml"
            document = object
            query.append(("force", force ? "true" : "false"))
            if dryRun { query.append(("dryRun", "All")) }
        case .json(let operations):
            contentType = "application/json-patch+json"
            document = operations
        case .merge(let changes):
            contentType = "application/merge-patch+json"
            document = changes
        }
        return APIRequest(
            .patch, path(of: reference, subresource), query: query, contentType: contentType,
            body: document.encoded())
    }

    static func delete(_ reference: APIObjectReference, _ conditions: DeleteConditions) -> APIRequest {
        var options: JSONObject = [
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        ]
        var preconditions = JSONObject()
        if let uid = conditions.uid { preconditions["uid"] = .string(uid) }
        if let version = conditions.resourceVersion { preconditions["resourceVersion"] = .string(version) }
        if !preconditions.isEmpty { options["preconditions"] = .object(preconditions) }
        if let seconds = conditions.gracePeriodSeconds { options["gracePeriodSeconds"] = .int(Int64(seconds)) }
        return APIRequest(
            .delete, path(of: reference, nil), contentType: json, body: JSONValue.object(options).encoded())
    }

    static func versions(ofGroup group: String) -> APIRequest {
        APIRequest(.get, group.isEmpty ? "/api" : "/apis/\(group)")
    }

    private static func field(_ manager: String) -> [(name: String, value: String)] { [("fieldManager", manager)] }

    private static func path(of object: APIObjectReference, _ subresource: String?) -> String {
        object.resource.path(namespace: object.namespace, name: object.name, subresource: subresource)
    }

    private static func selectors(of selection: ObjectSelection) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        if let selector = selection.labelSelector { parameters.append(("labelSelector", selector)) }
        if let selector = selection.fieldSelector { parameters.append(("fieldSelector", selector)) }
        return parameters
    }

    /// Everything but RFC 3986's unreserved characters and those of `kept` as `%XX`.
    static func encoded(_ text: String, keeping kept: String = "") -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case _ where kept.utf8.contains(byte): bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(contentsOf: hexDigits[Int(byte >> 4)...Int(byte >> 4)])
                bytes.append(contentsOf: hexDigits[Int(byte & 15)...Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)
}
