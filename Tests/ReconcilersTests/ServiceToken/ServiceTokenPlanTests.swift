// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import TestSupport
internal import Testing

@Suite struct ServiceTokenPlanTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        var spec = "{secretName: s}"
        var isRevoked = false
        var status: ServiceTokenRecord.Status?
        /// Seconds since the present text was made.
        var age: Int64 = 0
        var textIsThere = true
        var asked = false
        let expected: ServiceTokenPlan.Step

        var testDescription: String { name }
    }

    private static let past = "expiresAt: '2026-03-01T11:59:59Z'"
    private static let future = "expiresAt: '2026-03-01T12:00:01Z'"
    private static let daily = "rotation: {every: 24h}"

    static let rows: [Row] = [
        Row(name: "nothing there", expected: .mint),
        Row(name: "revoked by the object", isRevoked: true, status: .active, expected: .revoke),
        Row(name: "revoked by the object before there was one", isRevoked: true, expected: .revoke),
        Row(name: "revoked by somebody", status: .revoked, expected: .mint),
        Row(name: "rotated by somebody", status: .rotated, expected: .mint),
        Row(name: "as it should be", status: .active, expected: .update),
        Row(name: "text lost", status: .active, textIsThere: false, expected: .restore),
        Row(name: "asked to rotate", status: .active, asked: true, expected: .rotate),
        Row(name: "text lost and asked", status: .active, textIsThere: false, asked: true, expected: .restore),
        Row(name: "due", spec: "{secretName: s, \(daily)}", status: .active, age: 86_400, expected: .rotate),
        Row(name: "not due", spec: "{secretName: s, \(daily)}", status: .active, age: 86_399, expected: .update),
        Row(name: "over", spec: "{secretName: s, expiresIn: 60s}", status: .expired, age: 60, expected: .expired),
        Row(
            name: "over and renewed", spec: "{secretName: s, expiresIn: 48h, \(daily)}", status: .expired, age: 200_000,
            expected: .mint),
        Row(
            name: "over and prolonged", spec: "{secretName: s, expiresIn: 1h}", status: .expired, age: 60,
            expected: .mint),
        Row(name: "over and now without end", status: .expired, age: 60, expected: .mint),
        Row(name: "end moved on", spec: "{secretName: s, \(future)}", status: .expired, age: 60, expected: .mint),
        Row(name: "born dead", spec: "{secretName: s, \(past)}", expected: .expired),
        Row(name: "end in the past", spec: "{secretName: s, \(past)}", status: .expired, age: 9, expected: .expired),
        Row(
            name: "end moved into the past", spec: "{secretName: s, \(past)}", status: .active, age: 9,
            expected: .update),
        Row(
            name: "no loop of dead tokens", spec: "{secretName: s, \(past), \(daily)}", status: .expired, age: 9,
            expected: .expired),
    ]

    @Test(arguments: rows) func saysTheNextStep(_ row: Row) throws {
        let input = try Manifests.serviceToken(row.spec)
        guard case .serviceToken(let object)? = input.object else {
            Issue.record("\(input.problems)")
            return
        }
        let now = Manifests.start
        let present = row.status.map {
            ServiceTokenPlan.Present(
                status: $0, issuedAt: now.adding(seconds: -row.age), textIsThere: row.textIsThere)
        }
        let step = ServiceTokenPlan.next(
            spec: object.spec, isRevoked: row.isRevoked, present: present, askedToRotate: row.asked, now: now)
        #expect(step == row.expected)
    }
}
