// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Makes the answers of every door.
enum Answers {
    /// As many header fields as most answers come to, so that a field that is added later moves none.
    private static let usualFields = 12

    /// A JSON answer.
    static func json(_ bytes: [UInt8], status: Int = 200, fields: HTTPFields = HTTPFields()) -> Response {
        var fields = fields
        fields.reserveCapacity(usualFields)
        fields[.contentType] = "application/json"
        return Response(
            status: .init(code: status), headers: fields, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A JSON answer.
    static func json(_ object: JSONObject, status: Int = 200) -> Response {
        json(JSONValue.object(object).encoded(), status: status)
    }

    /// A text answer.
    static func text(_ bytes: [UInt8], status: Int = 200, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .init(code: status), headers: [.contentType: type],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The error envelope with the headers that go with the refusal. A body that was too large closes the connection.
    static func refusal(_ refusal: Refusal, requestID: String) -> Response {
        var fields = HTTPFields()
        fields[.requestID] = requestID
        if let challenge = refusal.challenge { fields[.wwwAuthenticate] = challenge }
        if let seconds = refusal.retryAfterSeconds { fields[.retryAfter] = String(seconds) }
        switch refusal.code {
        case .requestTooLarge, .requestTimeout, .requestHeadersTooLarge: fields[.connection] = "close"
        default: break
        }
        return json(refusal.envelope(requestID: requestID).encoded(), status: refusal.status, fields: fields)
    }
}

extension HTTPField.Name {
    /// Makes a constant name; the text is one.
    static func constant(_ name: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name(name.description) else {
            preconditionFailure("a constant header name is valid")
        }
        return name
    }

    static let requestID = constant("X-Request-Id")
    static let authReason = constant("X-Auth-Reason")
    static let extAuthReason = constant("X-Ext-Auth-Reason")
    static let authStatus = constant("X-Auth-Status")
    static let idempotencyReplayed = constant("Idempotency-Replayed")
    static let frameOptions = constant("X-Frame-Options")
    static let referrerPolicy = constant("Referrer-Policy")
    static let envoyRemove = constant("x-envoy-auth-headers-to-remove")
}
