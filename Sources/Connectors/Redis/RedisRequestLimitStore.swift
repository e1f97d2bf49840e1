// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
package import Essentials

/// Counts requests in Redis, for all replicas together: one script, one round trip for all limits of a request.
///
/// Redis' own clock says when a request is counted, so that replicas whose clocks differ count in the same parts; what an answer says of times to
/// come is told on the clock of whoever asked. After a failover to a server whose clock is behind the newest part goes on, as in one process.
///
/// All keys share a hash tag and with it one server of a cluster: the limits of a request overlap in any way, and a script sees one slot.
package struct RedisRequestLimitStore: RequestLimitStore {
    /// Whose clock requests are counted under.
    package enum TimeSource: Sendable {
        case server
        /// The instant that is handed in, for tests.
        case given
    }

    private let client: RedisClient
    private let source: TimeSource

    package init(_ client: RedisClient, time source: TimeSource = .server) {
        self.client = client
        self.source = source
    }

    package func take(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer
    { try await ask("take", limits, now, timeLeft) }

    package func look(_ limits: [RequestLimit], at now: Timestamp, timeLeft: Duration) async throws(Refusal)
        -> RequestLimitAnswer
    { try await ask("look", limits, now, timeLeft) }

    package func giveBack(_ limits: [RequestLimit], _ answer: RequestLimitAnswer) async {
        guard !limits.isEmpty else { return }
        // What cannot be given back has left the windows soon.
        _ = try? await client.evaluate(
            RequestLimitScript.script, keys: keys(limits),
            arguments: ["back", String(answer.countedAt.seconds)] + Self.rates(limits))
    }

    private func ask(
        _ mode: String, _ limits: [RequestLimit], _ now: Timestamp, _ timeLeft: Duration
    ) async throws(Refusal) -> RequestLimitAnswer {
        guard !limits.isEmpty else { return RequestLimitAnswer(isAdmitted: true, windows: [], countedAt: now) }
        let micros =
            switch source {
            case .server: "-1"
            case .given: String(now.microseconds)
            }
        do throws(RedisError) {
            // Half of what is left: whoever decides without Redis needs time too.
            let reply = try await client.evaluate(
                RequestLimitScript.script, keys: keys(limits), arguments: [mode, micros] + Self.rates(limits),
                within: min(client.settings.commandTimeout, timeLeft / 2))
            guard let answer = Self.answer(reply, limits, counts: mode == "take", now: now) else {
                throw RedisError(.malformed, "the script of request limits answers something else")
            }
            return answer
        } catch {
            throw Refusal(.decisionInternal, message: error.message)
        }
    }

    private func keys(_ limits: [RequestLimit]) -> [String] {
        limits.map { client.key("tollgate:{limits}:\($0.key.text)") }
    }

    private static func rates(_ limits: [RequestLimit]) -> [String] {
        limits.flatMap { limit in LimitWindow.allCases.map { limit.rate[$0].map { String($0) } ?? "-1" } }
    }

    /// Whether a number of seconds can be one of this age, or -1: anybody may have written what the script has read.
    private static func isTime(_ seconds: Int64) -> Bool { (-1...Int64(1) << 33).contains(seconds) }

    private static func answer(
        _ reply: RESPValue, _ limits: [RequestLimit], counts: Bool, now: Timestamp
    ) -> RequestLimitAnswer? {
        let numbers = reply.array?.compactMap(\.integer) ?? []
        guard numbers.count == reply.array?.count, numbers.count >= 3, numbers[0] == 0 || numbers[0] == 1,
            isTime(numbers[1]), isTime(numbers[2] / 1_000_000)
        else { return nil }
        var answer = RequestLimitAnswer(
            isAdmitted: numbers[0] == 1, windows: [], countedAt: Timestamp(seconds: numbers[1]))
        let ahead = now.microseconds - numbers[2]
        // Rounded up: a caller that waits that long finds room.
        func own(_ second: Int64) -> Int64 { -Timestamp(microseconds: -(second * 1_000_000 + ahead)).seconds }
        var rest = numbers.dropFirst(3)
        for (index, limit) in limits.enumerated() {
            for window in LimitWindow.allCases {
                guard let most = limit.rate[window] else { continue }
                guard let remaining = rest.popFirst(), let reset = rest.popFirst(), let opens = rest.popFirst(),
                    isTime(reset), isTime(opens)
                else { return nil }
                answer.windows.append(
                    .init(
                        limitIndex: index, window: window, limit: most, remaining: remaining, reset: own(reset),
                        opens: opens < 0 ? nil : own(opens)))
            }
        }
        return rest.isEmpty ? answer : nil
    }
}
