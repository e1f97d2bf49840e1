// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Healing

/// Makes the links of notices: each acknowledges once, without another credential.
package struct AckLinkMaker: Sendable {
    private let publicURL: String
    private let key: Redacted<[UInt8]>
    private let maximumSeconds: Int64
    private let clock: any WallClock
    private let random: any RandomSource

    /// - Parameters:
    ///   - publicURL: where people reach Tollgate, without a slash at the end.
    ///   - maximumSeconds: the longest acknowledgement there is.
    package init(
        publicURL: String, key: Redacted<[UInt8]>, maximumSeconds: Int64, clock: any WallClock,
        random: any RandomSource
    ) {
        self.publicURL = publicURL
        self.key = key
        self.maximumSeconds = maximumSeconds
        self.clock = clock
        self.random = random
    }

    /// A link; nil where the duration is longer than allowed or the labels are none that can be silenced.
    package func link(_ labels: [String: String], duration: String, for recipient: String) -> String? {
        let members = labels.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        // A duration above the maximum only means that this one link is not offered.
        guard
            let request = try? AckRequest.read(
                ["labels": .object(JSONObject(members)), "duration": .string(duration)], maximumSeconds: maximumSeconds)
        else { return nil }
        let link = AckLink(
            request: request, recipient: recipient,
            expiresAt: clock.now().cutToSecond.adding(seconds: AckLink.maximumLifetime),
            id: Base64URL.encode(random.bytes(16)))
        return "\(publicURL)/ack/link?t=\(link.token(key: key))"
    }
}
