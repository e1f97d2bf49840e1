// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The outcome of one check.
struct APICheckResult: Sendable {
    let name: String
    /// nil = as it should be.
    let fault: CommandFailure?
}

/// Asks a server for what it promises. What it makes, it revokes.
struct APICheck: Sendable {
    let client: APIClient
    let random: any RandomSource

    /// Every check in turn; when the server cannot be reached only the first.
    func run() async -> [APICheckResult] {
        let health = await check("health") { _ = try await client.call(.get, "/health") }
        guard health.fault == nil else { return [health] }
        return [
            health,
            await check("protected endpoints refuse", protectedEndpointsRefuse),
            await check("objects accepted", objectsAccepted),
            await check("token minted", tokenMinted),
            await check("decision answered", decisionAnswered),
        ]
    }

    private func check(_ name: String, _ body: () async throws -> Void) async -> APICheckResult {
        do {
            try await body()
            return APICheckResult(name: name, fault: nil)
        } catch let failure as CommandFailure {
            return APICheckResult(name: name, fault: failure)
        } catch {
            return APICheckResult(name: name, fault: CommandFailure(.otherFault, "\(type(of: error))"))
        }
    }

    private func protectedEndpointsRefuse() async throws {
        let paths = ["/v1/service-tokens", "/v1/resources", "/v1/audit/events"]
        for path in paths {
            let (status, _) = try await client.exchange(.get, path, authenticated: false)
            guard status == 401 else {
                throw CommandFailure(.otherFault, "\(path) answered \(status) without a credential, not 401")
            }
        }
    }

    /// Every object was looked at and understood. Whether it is ready is its owner's affair: what it needs may not be there yet.
    private func objectsAccepted() async throws {
        let answer = try await client.call(.get, "/v1/resources")
        for item in answer.body?["items"]?.arrayValue ?? [] {
            let conditions = item["status"]?["conditions"]?.arrayValue ?? []
            let kind = item["kind"]?.stringValue ?? "?"
            let name = item["metadata"]?["name"]?.stringValue ?? "?"
            guard !conditions.isEmpty else {
                throw CommandFailure(.otherFault, "\(kind) \(name) was not looked at: it has no conditions")
            }
            let fault = conditions.first { condition in
                let isTrue = condition["status"] == "True"
                return condition["type"] == "Invalid" && isTrue || condition["type"] == "Accepted" && !isTrue
            }
            guard let fault else { continue }
            let words = ["reason", "message"].compactMap { fault[$0]?.stringValue }.joined(separator: " ")
            throw CommandFailure(.otherFault, "\(kind) \(name) is not accepted: \(words)")
        }
    }

    private func tokenMinted() async throws {
        let identifier = "check-" + Hex.encode(random.bytes(6))
        let body: JSONValue = [
            "identifier": .string(identifier), "description": "made by tollgate check api", "expires_in_seconds": 60,
        ]
        let answer = try await client.call(.post, TokenOutput.path, body: body)
        guard answer.body?["secret"]?.stringValue != nil else {
            throw CommandFailure(.otherFault, "the server made a token without giving its secret")
        }
        _ = try await client.call(
            .post, TokenOutput.path(of: identifier) + "/revoke", body: ["reason": "the check is over"])
    }

    private func decisionAnswered() async throws {
        let body: JSONValue = ["request": ["method": "GET", "host": "check.tollgate.invalid", "path": "/"]]
        let answer = try await client.call(.post, "/v1/decisions", body: body)
        guard let decision = answer.body?["decision"]?.stringValue, decision == "allow" || decision == "deny" else {
            throw CommandFailure(.otherFault, "the answer holds no decision")
        }
    }
}
