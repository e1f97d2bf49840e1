// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// When a webhook is tried again: ten attempts over three days, each pause varied so that receivers do not meet all senders at once.
package enum WebhookSchedule {
    /// How long after the attempt before each one is made, in seconds; the first is made at once.
    package static let pauses: [Int64] = [
        0, 5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600,
    ]
    /// How far a pause is varied to either side, in percent.
    private static let variation: Int64 = 10
    /// The longest wait that a receiver can ask for, in seconds.
    package static let maximumRetryAfter: Int64 = 24 * 3600

    /// When the next attempt is made; nil where there was the last one.
    ///
    /// - Parameters:
    ///   - attempts: how many were made.
    ///   - retryAfterSeconds: what the receiver asked for: it is never tried earlier than that.
    package static func next(
        after attempts: Int64, at now: Timestamp, retryAfterSeconds: Int64? = nil, random: some RandomSource
    ) -> Timestamp? {
        guard attempts >= 0, attempts < Int64(pauses.count) else { return nil }
        let pause = pauses[Int(attempts)] * 1_000_000
        let span = pause * variation / 100
        let varied = pause - span + part(of: span * 2, random)
        let asked = min(max(0, retryAfterSeconds ?? 0), maximumRetryAfter) * 1_000_000
        return Timestamp(microseconds: now.microseconds.addingSaturated(max(varied, asked)))
    }

    /// An even part of 0 ... whole.
    private static func part(of whole: Int64, _ random: some RandomSource) -> Int64 {
        let number = random.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64((UInt64(whole) + 1).multipliedFullWidth(by: number).high)
    }
}
