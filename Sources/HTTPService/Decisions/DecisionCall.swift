// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import Pipeline

/// One request of the decisions API, read from its JSON.
struct DecisionCall: Sendable {
    var input: DecisionInput
    var idempotencyKey: String?

    private static let members: Set<String> = [
        "request", "credential", "permission", "required_scopes", "required_workspaces", "resource", "usage",
        "idempotency_key", "explain",
    ]
    private static let requestMembers: Set<String> = [
        "method", "host", "path", "scheme", "headers", "source_ip", "client_certificate", "body_base64",
    ]
    private static let resourceMembers: Set<String> = ["type", "id", "tenant", "owner", "project"]

    /// Reads the document.
    ///
    /// - Parameter path: where it stands in the body, for messages: empty, or `requests[3].`.
    /// - Throws: `request.malformed` for unknown members, `request.invalid` naming every bad field.
    init(_ object: JSONObject, path: String = "", requestID: String) throws(Refusal) {
        var reader = FieldReader(path: path)
        try reader.checkMembers(of: object, known: Self.members)
        input = DecisionInput(door: .json, requestID: requestID)
        if let request = reader.object(object, "request", required: true) {
            try reader.checkMembers(of: request, known: Self.requestMembers, in: "request")
            readRequest(request, &reader)
        }
        readAround(object, &reader)
        if let resource = reader.object(object, "resource") {
            try reader.checkMembers(of: resource, known: Self.resourceMembers, in: "resource")
            readResource(resource, &reader)
        }
        if let usage = reader.object(object, "usage") {
            try reader.checkMembers(of: usage, known: StatedUsageReader.members, in: "usage")
            input.usage = StatedUsageReader.read(usage, &reader)
        }
        if input.credential != nil, input.headers.fields.contains(where: { Self.isCredential($0.name) }) {
            reader.fault("credential", "stands beside a credential header")
        }
        try reader.finish()
    }

    private mutating func readRequest(_ request: JSONObject, _ reader: inout FieldReader) {
        input.method = reader.text(request, "method", in: "request", required: true)
        input.host = reader.text(request, "host", in: "request", required: true)
        input.target = reader.text(request, "path", in: "request", required: true)
        input.scheme = reader.text(request, "scheme", in: "request") ?? "https"
        input.clientCertificate = reader.text(request, "client_certificate", in: "request")
        _ = reader.text(request, "body_base64", in: "request")
        if let address = reader.text(request, "source_ip", in: "request") {
            input.clientAddress = IPAddress(address)
            if input.clientAddress == nil { reader.fault("request.source_ip", "not an IP address") }
        }
        if let headers = reader.object(request, "headers", in: "request") { readHeaders(headers, &reader) }
    }

    private mutating func readHeaders(_ headers: JSONObject, _ reader: inout FieldReader) {
        var fields: [HeaderList.Field] = []
        fields.reserveCapacity(headers.count)
        for member in headers.members {
            let name = ASCII.lowercased(member.name)
            switch member.value {
            case .string(let text): fields.append(.init(name: name, value: text))
            case .array(let texts):
                for text in texts {
                    guard let text = text.stringValue else {
                        reader.fault("request.headers.\(name)", "not a text or a list of texts")
                        break
                    }
                    fields.append(.init(name: name, value: text))
                }
            case .null: break
            default: reader.fault("request.headers.\(name)", "not a text or a list of texts")
            }
        }
        input.headers = HeaderList(lowercasedFields: fields)
    }

    private mutating func readAround(_ object: JSONObject, _ reader: inout FieldReader) {
        input.credential = reader.text(object, "credential")
        input.permission = reader.text(object, "permission")
        input.requiredScopes = reader.texts(object, "required_scopes")
        input.requiredWorkspaces = reader.texts(object, "required_workspaces")
        input.explain = reader.flag(object, "explain")
        idempotencyKey = reader.text(object, "idempotency_key")
        if let key = idempotencyKey {
            if !(1...256).contains(key.utf8.count) { reader.fault("idempotency_key", "not 1 to 256 bytes") }
            if key.utf8.contains(0) { reader.fault("idempotency_key", "holds a NUL character") }
        }
    }

    private mutating func readResource(_ resource: JSONObject, _ reader: inout FieldReader) {
        input.resource = ResourceAttributes(
            type: reader.text(resource, "type", in: "resource"), id: reader.text(resource, "id", in: "resource"),
            owner: reader.text(resource, "owner", in: "resource"),
            tenant: reader.text(resource, "tenant", in: "resource"),
            project: reader.text(resource, "project", in: "resource"))
    }

    private static func isCredential(_ name: String) -> Bool { name == "authorization" || name == "x-api-key" }
}
