// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A session as the console has it: the cookie, and the token that its posts carry.
package struct ConsoleSession: Sendable {
    /// What stands in `Cookie`.
    package let cookie: String
    /// What stands in `X-CSRF-Token`.
    package let proof: String
    package let handle: String

    /// Signs in with a token, as the page does.
    package static func begin(with token: String, port: Int) async throws -> ConsoleSession {
        let answer = try await PlainHTTP.send(
            "POST", "/v1/auth/session", port: port,
            headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
            body: Array("{}".utf8))
        guard answer.status == 200, let cookie = answer.value("set-cookie")?.split(separator: ";").first,
            let proof = try answer.json()["csrf_token"]?.stringValue,
            let handle = try answer.json()["handle"]?.stringValue
        else { throw PeerFault(message: "no session: \(answer.status) \(answer.text)") }
        return ConsoleSession(cookie: String(cookie), proof: proof, handle: handle)
    }

    /// Asks as a page does.
    ///
    /// - Parameter isProven: whether the page's own token goes along; without it another site could have sent this.
    package func ask(
        _ method: String, _ path: String, port: Int, body: JSONValue? = nil, isProven: Bool = true
    ) async throws -> PlainHTTP.Answer {
        var headers = [("Cookie", cookie), ("Accept", "application/json")]
        if isProven { headers.append(("X-CSRF-Token", proof)) }
        if body != nil { headers.append(("Content-Type", "application/json")) }
        return try await PlainHTTP.send(method, path, port: port, headers: headers, body: body?.encoded() ?? [])
    }

    /// What `GET /v1/auth/session` says: the handle, or the code of the refusal.
    package func shown(port: Int) async throws -> String {
        let answer = try await ask("GET", "/v1/auth/session", port: port)
        return try answer.json()[answer.status == 200 ? "handle" : "code"]?.stringValue ?? "\(answer.status)"
    }
}
