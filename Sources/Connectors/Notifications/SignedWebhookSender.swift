// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing

/// Posts notices to an address of the operator, signed so that the receiver knows who sent them.
package struct SignedWebhookSender: NoticeSending {
    private let url: Redacted<String>
    private let secret: Redacted<[UInt8]>
    private let poster: OutboundPoster
    private let clock: any WallClock

    /// - Parameter secret: the key of the signature.
    package init(url: Redacted<String>, secret: Redacted<[UInt8]>, poster: OutboundPoster, clock: any WallClock) {
        self.url = url
        self.secret = secret
        self.poster = poster
        self.clock = clock
    }

    package func send(_ notice: HealingNotice) async throws(NoticeError) {
        let body = notice.encodedEvent
        let timestamp = String(clock.now().seconds)
        let signature = WebhookSignature.notice(id: notice.id, timestamp: timestamp, body: body, key: secret)
        let answer: OutboundPoster.Answer
        do {
            answer = try await poster.post(
                body, to: url,
                headers: [
                    ("webhook-id", notice.id), ("webhook-timestamp", timestamp), ("webhook-signature", signature),
                ])
        } catch {
            throw NoticeError("webhook: \(error.message)")
        }
        if let refusal = answer.refusal(by: "the webhook's receiver") { throw refusal }
    }
}
