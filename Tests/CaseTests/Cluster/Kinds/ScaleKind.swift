// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import SelfManagement
internal import TestSupport
internal import Testing

extension ClusterKinds {
    @Sendable static func scale(_ record: CaseRecord) async throws {
        let expect = record.expect
        do throws(Refusal) {
            let outcome = try outcome(record.given)
            #expect(expect["status"] == 200)
            let json = outcome.json(at: Timestamp(seconds: 0))
            for member in ["changed", "before", "after", "action"] { #expect(json[member] == expect[member]) }
        } catch {
            #expect(Int64(error.status) == expect["status"]?.intValue)
            #expect(error.code.rawValue == expect["code"]?.stringValue)
            for member in expect["details"]?.objectValue?.members ?? [] {
                #expect(error.details?[member.name] == member.value)
            }
        }
    }

    /// The tests in the order in which an endpoint makes them.
    private static func outcome(_ given: JSONValue) throws(Refusal) -> ScaleOutcome {
        let body = try? JSONParser.parse(text: given["body"]?.stringValue ?? "").objectValue
        guard let body else { throw Refusal(.requestMalformed) }
        let request = try ScaleRequest(body)
        guard given["in_cluster"]?.boolValue == true else { throw Refusal(.k8sNotInCluster) }
        guard given["is_leader"]?.boolValue == true else { throw Refusal(.k8sNoLeader, retryAfterSeconds: 2) }
        func number(_ name: String) -> Int { Int(given[name]?.intValue ?? 0) }
        try request.check(
            ScaleRequest.Bounds(
                minimum: number("min"), maximum: number("max"),
                hasSharedStore: given["shared_store"]?.boolValue ?? false))
        try ScaleRequest.check(autoscaler: given["hpa"]?.stringValue)
        return ScaleOutcome(before: number("current"), after: request.replicas)
    }
}
