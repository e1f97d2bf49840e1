// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import ResourceModel
internal import TestSupport

/// The objects of the soak as they are sent, and the tokens of its callers.
enum SoakDocuments {
    static let issuer = "https://id.example"
    static let managed = "tollgate.dev/managed"

    static func document(_ key: ObjectKey, _ spec: SoakModel.Spec) -> JSONValue {
        [
            "apiVersion": .string(key.kind.apiVersion), "kind": .string(key.kind.rawValue),
            "metadata": ["name": .string(key.name), "namespace": .string(key.namespace)], "spec": self.spec(spec),
        ]
    }

    /// What `spec` says: whole, so that it serves as a merge patch too.
    static func spec(_ spec: SoakModel.Spec) -> JSONValue {
        switch spec {
        case .config(let config):
            return [
                "hosts": .strings(config.hosts), "mode": "required",
                "issuers": [
                    [
                        "name": "sign-in", "issuer": .string(issuer), "algorithms": ["HS256"],
                        "audiences": [.string(config.audience)],
                        "secretRef": ["name": .string(config.secret), "key": "hs256"],
                    ]
                ],
                "policy": ["routes": [["methods": ["GET"], "path": "/v1/me", "authenticated": true]]],
                "assertion": ["enabled": .bool(config.isInvalid)],
            ]
        case .token(let token):
            return [
                "secretName": .string(token.secretName), "scopes": .strings(token.scopes),
                "roles": [.string(token.asksForAdmin ? "admin" : "a2a-agent")], "expiresIn": "720h",
                "rotation": ["every": "168h", "overlap": "1h"], "revoked": .bool(token.isRevoked),
            ]
        case .plan(let plan):
            return [
                "tenant": .string(plan.tenant), "plan": .string(plan.plan), "suspended": .bool(plan.isSuspended),
                "source": plan.isStripe ? "stripe" : "manual",
            ]
        case .tool(let tool):
            guard let id = tool.id else { return ["manifest": ["tool_id": "not a manifest"]] }
            return [
                "manifest": [
                    "tool_id": .string(id), "version": "1.0.0", "key_id": "soak",
                    "sha256_hash": .string(String(repeating: "a", count: 64)), "max_memory_mb": 256,
                    "max_cpu_seconds": 30, "network_allowed": false,
                    "signature": .string(Data(repeating: 7, count: 64).base64EncodedString()),
                ]
            ]
        }
    }

    static func secret(_ key: ObjectKey, data: [String: String], isLabelled: Bool) -> JSONValue {
        var metadata: JSONObject = ["name": .string(key.name), "namespace": .string(key.namespace)]
        if isLabelled { metadata["labels"] = [managed: "true"] }
        return [
            "apiVersion": "v1", "kind": "Secret", "metadata": .object(metadata),
            "stringData": .object(JSONObject(data.map { ($0.key, .string($0.value)) })),
        ]
    }

    static func namespace(_ name: String, tenant: String?) -> JSONValue {
        let labels: JSONObject = tenant.map { ["tollgate.dev/tenant": .string($0)] } ?? [:]
        return [
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": ["name": .string(name), "labels": .object(labels)],
        ]
    }

    /// A caller's token.
    static func token(key: String, audience: String) throws -> String {
        let now = SystemWallClock().now().seconds
        return try TokenForge.token(
            header: ["alg": "HS256", "typ": "JWT"],
            claims: [
                "iss": .string(issuer), "sub": "user-1", "aud": .string(audience), "iat": .int(now - 60),
                "exp": .int(now + 3600),
            ], key: .secret(Array(key.utf8)))
    }
}
