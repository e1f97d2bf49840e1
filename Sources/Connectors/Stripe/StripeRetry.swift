// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// When a call to Stripe is tried again: four tries, half a second to eight seconds between them, varied.
enum StripeRetry {
    static let tries = 4
    private static let first: Int64 = 1_000_000
    private static let longest: Int64 = 8_000_000

    /// Whether an answer is none yet.
    static func isTemporary(_ answer: StripeTransport.Answer, code: String?) -> Bool {
        switch answer.status {
        case 200..<300: false
        default:
            answer.shouldRetry ?? (answer.status == 429 || answer.status >= 500 || isLock(answer.status, code))
        }
    }

    /// Another request changes the same object, or the same request is under way.
    private static func isLock(_ status: Int, _ code: String?) -> Bool {
        status == 409 && (code == nil || code == "lock_timeout" || code == "idempotency_key_in_use")
    }

    /// The pause after a number of tries: within the upper half of twice the one before, and what Stripe asks for where that is more, as far
    /// as eight seconds go.
    static func pause(after tries: Int, retryAfterSeconds: Int64?, random: some RandomSource) -> Duration {
        let whole = min(longest, first << min(max(0, tries), 8))
        let number = random.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let varied = whole / 2 + Int64((UInt64(whole / 2) + 1).multipliedFullWidth(by: number).high)
        let asked = min(max(0, retryAfterSeconds ?? 0), 8) * 1_000_000
        return .microseconds(max(varied, asked))
    }
}
