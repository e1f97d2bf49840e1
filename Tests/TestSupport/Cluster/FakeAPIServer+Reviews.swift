// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Synchronization

/// TokenReview and Eviction: what is made and never stored.
extension FakeAPIServer {
    func review(_ request: IncomingRequest) throws(APIStatus) -> JSONValue {
        let document = try request.json()
        guard let token = document["spec"]?["token"]?.stringValue, !token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        let wanted = document["spec"]?["audiences"]?.arrayValue?.compactMap(\.stringValue) ?? []
        var answer = document
        answer.set("metadata", "creationTimestamp", to: .null)
        answer.set("status", to: status(of: token, audiences: wanted))
        return answer
    }

    private func status(of token: String, audiences wanted: [String]) -> JSONValue {
        guard let user = state.withLock({ $0.tokens[token] }) else {
            return ["user": [:], "error": "invalid bearer token"]
        }
        let common = wanted.filter(user.audiences.contains)
        if !wanted.isEmpty, common.isEmpty {
            func list(_ texts: [String]) -> String { "[\(texts.map { "\"\($0)\"" }.joined(separator: " "))]" }
            return [
                "user": [:],
                "error": .string(
                    "[invalid bearer token, token audiences \(list(user.audiences)) is invalid for the target audiences "
                        + "\(list(wanted))]"),
            ]
        }
        var told: JSONObject = ["username": .string(user.name)]
        if !user.uid.isEmpty { told["uid"] = .string(user.uid) }
        told["groups"] = .strings(user.groups)
        if !user.extra.isEmpty {
            told["extra"] = .object(
                JSONObject(user.extra.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.strings($0.value)) }))
        }
        return [
            "authenticated": true, "user": .object(told),
            "audiences": .strings(wanted.isEmpty ? user.audiences : common),
        ]
    }

    func evict(
        _ name: ClusterState.ObjectName, _ pods: ServedResource, _ request: IncomingRequest, _ state: inout State
    ) throws(APIStatus) -> JSONValue {
        let document = try request.document(pods)
        let apiVersion = document["apiVersion"]?.stringValue ?? ""
        let served = (state.groups["policy"] ?? []).map { "policy/\($0)" }
        guard document["kind"] == "Eviction", served.contains(apiVersion) else {
            throw .badRequest(
                "Eviction in version \"\(apiVersion.split(separator: "/").last ?? "")\" cannot be handled as a Eviction: "
                    + "no kind \"Eviction\" is registered for version \"\(apiVersion)\" in scheme "
                    + "\"pkg/api/legacyscheme/scheme.go:30\"")
        }
        _ = try state.cluster.read(pods, name)
        if let budget = state.budget { throw .budget(budget) }
        _ = try state.cluster.delete(name, of: pods, document["deleteOptions"], options(manager: "eviction"))
        return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201]
    }
}
