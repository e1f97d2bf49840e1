// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing

/// The endpoints of healing but the acknowledgements: the webhook, the end of a halt, and what is switched on.
package struct HealingRoutes: OwnAPIModule {
    private let desk: any HealingDesk

    /// Serves this desk.
    package init(desk: any HealingDesk) { self.desk = desk }

    package var routes: [OwnRoute] {
        [
            OwnRoute(
                "POST", "/alert", .write, bodyBytes: AlertPayload.maximumBytes, leaderOnly: true, isRaw: true
            ) { call throws(Refusal) in try await receive(call) },
            OwnRoute("POST", "/v1/healing/resume", .write, leaderOnly: true) { call throws(Refusal) in
                try BodyReader.checkMembers(of: call.body, known: [])
                let wasHalted = try await desk.resume()
                var answer = OwnAnswer.json(["ok": true, "was_halted": .bool(wasHalted)])
                answer.auditResource = "healing"
                answer.auditMetadata["was_halted"] = .bool(wasHalted)
                return answer
            },
            OwnRoute("GET", "/", .read) { _ throws(Refusal) in .json(desk.status()) },
        ]
    }

    private func receive(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        let payload = try AlertPayload.read(call.bytes)
        let results = try await desk.receive(payload, requestID: call.exchange.requestID)
        var answer = OwnAnswer.json(["ok": true, "results": .array(results.map(\.json))])
        answer.auditMetadata["alerts"] = .int(Int64(results.count))
        return answer
    }
}
