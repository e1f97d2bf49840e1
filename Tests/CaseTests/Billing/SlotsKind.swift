// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

extension BillingKinds {
    /// Hires and releases agents one after another.
    @Sendable static func slots(_ record: CaseRecord) async throws {
        let start = Timestamp(seconds: 1_772_366_400)
        let world = try BillingWorld(at: start, catalogue: try catalogue(record.given["catalogue"]?.stringValue))
        func subscribe(_ plan: JSONValue?) async throws {
            try await world.subscribe(
                to: try #require(plan?.stringValue), anchor: start, overrides: ["credits": creditText(0)])
        }
        try await subscribe(record.given["plan"])
        let available = try #require(record.given["available"]?.intValue)
        if available > 0 {
            let order = GrantOrder(key: "case", microCredits: available, source: .purchase, reason: "case")
            _ = try await world.service.grant(order, account: BillingWorld.account, actor: "case")
        }
        for (index, step) in record.steps.enumerated() {
            var found: JSONObject = [:]
            if step["op"] == "plan" {
                try await subscribe(step["plan"])
            } else {
                found = try await slotStep(step, world)
            }
            let view = try await world.view()
            found["used"] = .int(view.book.counters.agents)
            found["limit"] = .int(view.standing.limits.slots(.agent) ?? -1)
            found["over_limit"] = .bool(view.isOverLimit)
            found["available"] = .int(view.availableMicroCredits)
            expect(.object(found), has: step["expect"] ?? [:], "\(record.id): step \(index)")
        }
    }

    private static func slotStep(_ step: JSONValue, _ world: BillingWorld) async throws -> JSONObject {
        let account = BillingWorld.account
        switch step["op"]?.stringValue {
        case "hire":
            do throws(Refusal) {
                let request = SlotRequest(kind: .agent, id: step["agent"]?.stringValue ?? "")
                let answer = try await world.service.take(request, account: account)
                return [
                    "status": .int(Int64(answer.status)), "charged_micro_credits": .int(answer.chargedMicroCredits),
                ]
            } catch {
                return [
                    "status": .int(Int64(error.status)), "code": .string(error.code.rawValue),
                    "upgrade_plan": error.details?["upgrade"]?["plan"] ?? .null,
                ]
            }
        case "release":
            try await world.service.release(.agent, id: step["agent"]?.stringValue ?? "", account: account)
            return ["status": 204]
        case "hire_many":
            let (prefix, count) = (step["prefix"]?.stringValue ?? "", step["count"]?.intValue ?? 0)
            let succeeded = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<count {
                    let request = SlotRequest(kind: .agent, id: "\(prefix)\(index)")
                    group.addTask { (try? await world.service.take(request, account: account)) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            return ["succeeded": .int(Int64(succeeded))]
        default:
            Issue.record("unknown operation in the case")
            return [:]
        }
    }
}
