// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport

/// What an account asked of an API server, as that server's audit log has it.
struct AuditedRequests {
    /// One request.
    struct Request: Hashable {
        var verb: String
        var group: String
        /// With the subresource: `authconfigs/status`.
        var resource: String
        var namespace: String
        var name: String
        var status: Int64
    }

    /// Has the API server log the requests of service accounts.
    static let policy = """
        apiVersion: audit.k8s.io/v1
        kind: Policy
        omitStages: [RequestReceived]
        rules:
          - {level: Metadata, userGroups: ["system:serviceaccounts"]}
          - {level: None}
        """

    let all: Set<Request>

    /// - Parameter account: as the API server calls it: `system:serviceaccount:NAMESPACE:NAME`.
    init(log path: String, account: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var all: Set<Request> = []
        for line in text.split(separator: "\n") {
            let event = try JSONParser.parse(Array(line.utf8))
            guard event["user"]?["username"]?.stringValue == account, let object = event["objectRef"] else { continue }
            let parts = ["resource", "subresource"].compactMap { object[$0]?.stringValue }
            all.insert(
                Request(
                    verb: event["verb"]?.stringValue ?? "", group: object["apiGroup"]?.stringValue ?? "",
                    resource: parts.joined(separator: "/"), namespace: object["namespace"]?.stringValue ?? "",
                    name: object["name"]?.stringValue ?? "", status: event["responseStatus"]?["code"]?.intValue ?? 0))
        }
        self.all = all
    }

    /// The requests that the account had no right to.
    var forbidden: [Request] { all.filter { $0.status == 403 } }

    /// The rights of roles that no request needed: `NAMESPACE/ROLE: GROUP/RESOURCE[NAMES]: VERB`.
    ///
    /// - Parameter roles: Roles and ClusterRoles that are bound to the account.
    func unused(of roles: [JSONValue]) -> Set<String> {
        var unused: Set<String> = []
        for role in roles {
            let place = role["metadata"]?["namespace"]?.stringValue
            let title = "\(place ?? "*")/\(role["metadata"]?["name"]?.stringValue ?? "")"
            for rule in role["rules"]?.arrayValue ?? [] {
                func words(_ member: String) -> [String] { rule[member]?.arrayValue?.compactMap(\.stringValue) ?? [] }
                let names = words("resourceNames")
                for group in words("apiGroups") {
                    for resource in words("resources") {
                        for verb in words("verbs") {
                            let isUsed = all.contains { request in
                                // A server that streams lists gives them to watches.
                                (request.verb == verb || verb == "list" && request.verb == "watch")
                                    && request.group == group && request.resource == resource
                                    && (place == nil || place == request.namespace)
                                    && (names.isEmpty || names.contains(request.name))
                            }
                            let shown = names.isEmpty ? "" : "[\(names.joined(separator: ","))]"
                            if !isUsed { unused.insert("\(title): \(group)/\(resource)\(shown): \(verb)") }
                        }
                    }
                }
            }
        }
        return unused
    }
}
