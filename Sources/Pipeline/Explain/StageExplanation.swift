// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Explains a step that may take something.
enum StageExplanation {
    /// What the stage says, and how each window of a request limit stands after the request.
    static func taken(_ detail: String, limits: RateLimitReport?) -> Explanation {
        var text = Explanation(.caller, detail)
        for window in limits?.windows ?? [] {
            let reset = Timestamp(seconds: window.reset).rfc3339
            text.say(
                .caller, "\(window.name.rawValue): \(window.remaining) of \(window.limit) left, more from \(reset)")
        }
        return text
    }
}
