// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Healing

/// Writes notices to a Slack channel through an incoming webhook, with links that acknowledge the alert.
///
/// Source: https://api.slack.com/messaging/webhooks
package struct SlackSender: NoticeSending {
    private let url: Redacted<String>
    private let poster: OutboundPoster
    private let links: AckLinkMaker?

    /// - Parameter links: nil = notices hold none.
    package init(url: Redacted<String>, poster: OutboundPoster, links: AckLinkMaker?) {
        self.url = url
        self.poster = poster
        self.links = links
    }

    package func send(_ notice: HealingNotice) async throws(NoticeError) {
        let body = JSONValue.object(["text": .string(text(notice))]).encoded()
        let answer: OutboundPoster.Answer
        do {
            answer = try await poster.post(body, to: url)
        } catch {
            throw NoticeError("Slack: \(error.message)")
        }
        if let refusal = answer.refusal(by: "Slack") { throw refusal }
    }

    private func text(_ notice: HealingNotice) -> String {
        func member(_ name: String) -> String? { notice.event[name]?.stringValue.map(Self.escaped) }
        let outcome =
            switch notice.kind {
            case .succeeded: ":white_check_mark: done"
            case .failed: ":x: failed"
            case .halted: ":octagonal_sign: healing is halted until somebody resumes it"
            case .budgetExhausted: ":hourglass: the budget of actions is exhausted"
            case .selfSuspended: ":hourglass: self-healing is suspended"
            case .told: ":bell: alert"
            case .resumed: ":arrow_forward: healing goes on"
            }
        var lines = ["*\(member("alertname") ?? "Tollgate")*: \(outcome)"]
        if let command = member("cmd") {
            lines.append("`\(command)`")
        } else if let target = member("target") {
            lines.append("target `\(target)`")
        }
        if let reason = member("reason") { lines.append(reason) }
        if let error = member("err") { lines.append("error at \(member("stage") ?? "apply"): \(error)") }
        if let links, !notice.labels.isEmpty {
            let shown = ["30m", "2h", "24h"].compactMap { duration in
                links.link(notice.labels, duration: duration, for: "slack").map { "<\($0)|\(duration)>" }
            }
            if !shown.isEmpty { lines.append("Acknowledge for " + shown.joined(separator: " / ")) }
        }
        return lines.joined(separator: "\n")
    }

    /// Slack reads these three as markup; a backtick would end the command.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "`": result += "'"
            default: result.append(character)
            }
        }
        return result
    }
}
