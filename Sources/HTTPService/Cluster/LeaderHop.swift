// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Pipeline

/// The way of a request from a replica that does not lead to the one that does.
enum LeaderHop {
    /// Says that a request came from another replica: it goes no further.
    static let mark = "x-tollgate-forwarded"
    /// Seconds after which another leader is known.
    static let retryAfterSeconds: Int64 = 2

    /// What goes along: the credential and what belongs to it, what the handlers read, and what the trail records.
    private static let passed: Set<String> = [
        "authorization", "x-api-key", "cookie", "x-csrf-token", "origin", "referer", "sec-fetch-site", "content-type",
        "accept", "idempotency-key", "user-agent", "x-tollgate-signature", "x-tollgate-timestamp",
    ]
    /// What is of no use without the session: it was looked at here.
    private static let ofSessions: Set<String> = ["cookie", "x-csrf-token"]
    /// What comes back beside status and body.
    private static let returned: Set<String> = [
        "content-type", "www-authenticate", "retry-after", "idempotency-replayed", "x-request-id", "allow",
    ]

    /// The leader's answer.
    ///
    /// - Parameter session: whose cookie the credential was.
    /// - Throws: `k8s.no_leader`.
    static func answer(
        to exchange: Exchange, body: ByteBuffer, session: SessionRecord?, by leader: any LeaderForwarding
    ) async throws(Refusal) -> Response {
        guard exchange.headers.lookup(mark) == .absent else {
            throw Refusal(
                .k8sNoLeader, message: "The replica that was taken for the leader leads no more",
                retryAfterSeconds: retryAfterSeconds)
        }
        let answer = try await leader.forward(request(exchange, body: body, session: session))
        var fields = HTTPFields()
        for field in answer.headers.fields where returned.contains(field.name) {
            guard let name = HTTPField.Name(field.name) else { continue }
            fields.append(HTTPField(name: name, value: field.value))
        }
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    /// The request as the leader gets it. Where it trusts this replica as a proxy, it sees the client's address too.
    /// Without a shared store the leader knows nothing of sessions of this replica, so that the token of a session goes instead of its cookie.
    static func request(_ exchange: Exchange, body: ByteBuffer, session: SessionRecord?) -> ForwardedRequest {
        let token = session?.tokens?.access
        var headers = HeaderList(
            lowercasedFields: exchange.headers.fields.filter { field in
                passed.contains(field.name) && (token == nil || !ofSessions.contains(field.name))
            })
        if let token { headers.append(name: "authorization", value: "Bearer \(token.revealed)") }
        if let certificate = exchange.clientCertificate {
            headers.append(name: "x-forwarded-client-cert", value: certificate)
        }
        headers.append(name: "x-forwarded-for", value: exchange.client.description)
        headers.append(name: "x-request-id", value: exchange.requestID)
        headers.append(name: mark, value: "1")
        return ForwardedRequest(
            method: exchange.method, target: exchange.target, headers: headers, body: Array(body.readableBytesView))
    }
}
