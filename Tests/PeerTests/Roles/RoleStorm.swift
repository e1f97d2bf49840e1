// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization
internal import TestSupport
internal import Testing

/// Gateways that report usage until all of it was acknowledged, and say everything again of which they heard nothing.
final class RoleStorm: Sendable {
    static let account = "acme"
    /// Of each event.
    static let tokens: Int64 = 15
    private static let senders = 4
    private static let calls = 25
    private static let eventsInCall = 5

    /// All that is sent.
    static let total = senders * calls * eventsInCall

    private let state = Mutex<Set<String>>([])

    /// How many events were acknowledged.
    var acknowledged: Int { state.withLock(\.count) }

    /// Sends everything.
    func send(to daemon: TollgateDaemon) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<Self.senders {
                group.addTask {
                    for call in 0..<Self.calls {
                        let ids = (0..<Self.eventsInCall).map { "\(sender)-\(call)-\($0)" }
                        try await self.send(ids, to: daemon)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Waits until so many were acknowledged.
    func reaches(_ count: Int) async throws {
        try await Eventually.holds("\(count) acknowledged events") { acknowledged >= count }
    }

    private func send(_ ids: [String], to daemon: TollgateDaemon) async throws {
        let body = JSONValue.array(ids.map(Self.event))
        let answer = try await Eventually.value("an answer about \(ids[0])") {
            // A process that was killed answers nothing, and one that has just begun may not be able to.
            let answer = try? await daemon.call("POST", "/v1/usage/events", body: body)
            return answer?.status == 202 ? answer : nil
        }
        let json = try answer.json()
        let taken = (json["accepted"]?.intValue ?? 0) + (json["duplicates"]?.intValue ?? 0)
        #expect(taken == Int64(ids.count), "\(answer.text)")
        let conflicts = json["results"]?.arrayValue?.filter { $0["conflict"] == true } ?? []
        #expect(conflicts.isEmpty, "\(answer.text)")
        state.withLock { $0.formUnion(ids) }
    }

    static func event(_ id: String) -> JSONValue {
        [
            "specversion": "1.0", "id": .string(id), "source": "storm", "type": "dev.tollgate.usage.tokens",
            "subject": .string(account),
            "data": ["model": "gpt-4o-mini", "input_tokens": 10, "output_tokens": 5, "user": "u"],
        ]
    }
}
