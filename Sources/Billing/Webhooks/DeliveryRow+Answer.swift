// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension DeliveryRow {
    /// Notes what came of an attempt: only 2xx is success; everything else is tried again until the schedule ends.
    ///
    /// - Returns: whether the receiver wants nothing any more (410), so that its endpoint is disabled.
    package mutating func note(_ answer: WebhookAnswer, at now: Timestamp, random: some RandomSource) -> Bool {
        attempts += 1
        var retryAfter: Int64?
        lastStatus = nil
        if case .status(let status, let seconds) = answer {
            lastStatus = Int64(status)
            retryAfter = seconds
        }
        switch lastStatus {
        case .some(200..<300):
            state = "delivered"
            nextAt = nil
        case 410:
            end()
            return true
        default:
            nextAt = WebhookSchedule.next(after: attempts, at: now, retryAfterSeconds: retryAfter, random: random)
            if nextAt == nil { end() }
        }
        return false
    }

    /// Gives it up: its endpoint is gone or disabled, or there was the last attempt.
    package mutating func end() {
        state = "failed"
        nextAt = nil
    }

    /// Has it sent once more, with all attempts before it.
    package mutating func resend(at now: Timestamp) {
        state = "waiting"
        attempts = 0
        nextAt = now
    }

    /// What the owner of the endpoint sees.
    package var shown: JSONValue {
        [
            "id": .string(id), "message_id": .string(message), "type": .string(type), "state": .string(state),
            "attempts": .int(attempts), "last_status": lastStatus.map(JSONValue.int) ?? .null,
            "next_attempt_at": nextAt.map { .string($0.rfc3339) } ?? .null,
            "created_at": .string(createdAt.rfc3339),
        ]
    }
}
