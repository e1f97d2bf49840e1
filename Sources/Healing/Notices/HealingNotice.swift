// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Something that people are told about, by one channel. It holds neither addresses nor credentials of the channel.
package struct HealingNotice: Sendable, Hashable {
    /// What it is about.
    package enum Kind: String, Sendable, CaseIterable {
        case succeeded = "action_ok"
        case failed = "action_fail"
        case halted
        case budgetExhausted = "budget_exhausted"
        /// The own pods are unhealthy, and what may be done about them is used up.
        case selfSuspended = "self_suspended"
        /// An action of type `notify`.
        case told = "notify"
        /// Somebody let live actions happen again: closes what `halted` opened.
        case resumed
    }

    /// UUIDv7; a receiver that gets it twice knows it by this.
    package var id: String
    package var channel: HealingRule.Channel
    package var kind: Kind
    package var at: Timestamp
    /// The event in its flat form.
    package var event: JSONObject
    /// What its links silence.
    package var labels: [String: String]

    /// Takes the parts.
    package init(
        id: String, channel: HealingRule.Channel, kind: Kind, at: Timestamp, event: JSONObject,
        labels: [String: String] = [:]
    ) {
        self.labels = labels
        self.id = id
        self.channel = channel
        self.kind = kind
        self.at = at
        self.event = event
    }

    package var alertName: String? { event["alertname"]?.stringValue }
    package var target: String? { event["target"]?.stringValue }

    /// Whether this, which opens an incident, is out of date once the other is there.
    package func isSettled(by other: HealingNotice) -> Bool {
        guard channel == other.channel else { return false }
        return switch other.kind {
        case .succeeded: kind == .failed && alertName == other.alertName && target == other.target
        case .resumed: kind == .halted
        default: false
        }
    }

    /// The event as text: `ts` are Unix seconds with six decimals, as in the audit trail.
    package var encodedEvent: [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.raw("{")
        for (index, member) in event.members.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(member.name)
            writer.raw(":")
            if member.name == "ts" {
                writer.raw(at.sixDecimals)
            } else {
                writer.value(member.value)
            }
        }
        writer.raw("}")
        return writer.bytes
    }

    /// As it is stored.
    package var json: JSONObject {
        [
            "channel": .string(channel.rawValue), "kind": .string(kind.rawValue), "at": .int(at.microseconds),
            "event": .object(event),
            "labels": .object(JSONObject(labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
        ]
    }

    /// Reads what `json` writes.
    package init?(id: String, json: JSONObject) {
        guard let channel = json["channel"]?.stringValue.flatMap(HealingRule.Channel.init),
            let kind = json["kind"]?.stringValue.flatMap(Kind.init), let at = json["at"]?.intValue,
            let event = json["event"]?.objectValue
        else { return nil }
        let labels = (json["labels"]?.objectValue?.members ?? []).compactMap { member in
            member.value.stringValue.map { (member.name, $0) }
        }
        self.init(
            id: id, channel: channel, kind: kind, at: Timestamp(microseconds: at), event: event,
            labels: Dictionary(labels, uniquingKeysWith: { first, _ in first }))
    }
}

extension Timestamp {
    /// Unix seconds with six decimals.
    fileprivate var sixDecimals: [UInt8] {
        let (whole, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(fraction.magnitude)
        return Array("\(whole).\(String(repeating: "0", count: 6 - digits.utf8.count))\(digits)".utf8)
    }
}
