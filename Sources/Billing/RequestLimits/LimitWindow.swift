// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The windows in which requests are counted, each in sixty equal parts aligned to the epoch.
package enum LimitWindow: String, Sendable, Hashable, CaseIterable {
    case minute, hour, day

    /// Seconds of the whole window.
    package var seconds: Int64 {
        switch self {
        case .minute: 60
        case .hour: 3600
        case .day: 86_400
        }
    }

    /// Seconds of one part.
    package var partSeconds: Int64 { seconds / SlidingWindow.partCount }

    /// The part in which an instant lies.
    package func part(of instant: Timestamp) -> Int64 {
        let (quotient, remainder) = instant.seconds.quotientAndRemainder(dividingBy: partSeconds)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The UNIX second at which a part begins.
    package func start(ofPart part: Int64) -> Int64 { part * partSeconds }
}
