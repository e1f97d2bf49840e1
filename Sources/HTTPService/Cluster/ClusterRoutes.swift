// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline

/// The own Deployment: how it stands, and what can be asked of it.
package struct ClusterRoutes: OwnAPIModule {
    private static let bodyBytes = 4096

    private let service: any ClusterService

    package init(service: any ClusterService) { self.service = service }

    package var routes: [OwnRoute] {
        [
            OwnRoute("GET", "/v1/k8s/status", .read) { call throws(Refusal) in
                _ = try call.query.object(known: [])
                return .json(await service.status())
            },
            OwnRoute("GET", "/v1/k8s/actions", .read) { call throws(Refusal) in
                let limit = try limit(call)
                return OwnAnswer(
                    text: (JSONValue.array(try await service.actions(limit: limit)).encoded(), "application/json"))
            },
            OwnRoute(
                "POST", "/v1/k8s/scale", .write, bodyBytes: Self.bodyBytes, leaderOnly: true,
                check: { call throws(Refusal) in
                    try service.checkScale(call.body)
                    try checkPlace()
                }
            ) { call throws(Refusal) in
                let answer = try await service.scale(call.body, actor: call.caller.principal.subject)
                var result = OwnAnswer.json(answer)
                for member in ["before", "after"] { result.auditMetadata[member] = answer[member] }
                return result
            },
            OwnRoute(
                "POST", "/v1/k8s/health", .write, bodyBytes: Self.bodyBytes, leaderOnly: true,
                check: { call throws(Refusal) in
                    try BodyReader.checkMembers(of: call.body, known: [])
                    _ = try dryRun(call)
                    try checkPlace()
                }
            ) { call throws(Refusal) in .json(try await service.health(dryRun: try dryRun(call))) },
            OwnRoute(
                "POST", "/v1/k8s/reconcile", .write, bodyBytes: Self.bodyBytes, leaderOnly: true,
                check: { call throws(Refusal) in
                    try BodyReader.checkMembers(of: call.body, known: [])
                    _ = try call.query.object(known: [])
                    try checkPlace()
                }
            ) { _ throws(Refusal) in .json(try await service.reconcile()) },
        ]
    }

    private func checkPlace() throws(Refusal) {
        guard service.isInCluster else { throw Refusal(.k8sNotInCluster) }
    }

    private func dryRun(_ call: OwnCall) throws(Refusal) -> Bool {
        let query = try call.query.object(known: ["dry_run"])
        switch query["dry_run"]?.stringValue {
        case nil, "false": return false
        case "true": return true
        default: throw Self.fault("dry_run", "true or false")
        }
    }

    private func limit(_ call: OwnCall) throws(Refusal) -> Int {
        let query = try call.query.object(known: ["limit"])
        guard let text = query["limit"]?.stringValue else { return 100 }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int(text), (1...1000).contains(limit)
        else { throw Self.fault("limit", "1 to 1000") }
        return limit
    }

    private static func fault(_ field: String, _ words: String) -> Refusal {
        var reader = FieldReader()
        reader.fault(field, words)
        do throws(Refusal) {
            try reader.finish()
            return Refusal(.requestInvalid)
        } catch {
            return error
        }
    }
}
