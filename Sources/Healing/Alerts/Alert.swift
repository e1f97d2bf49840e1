// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials

/// One alert as Alertmanager reports it, reduced to what decides about healing.
package struct Alert: Sendable, Hashable {
    /// `firing` or `resolved`; every other word counts as not firing.
    package var status: String
    /// In the order in which they came.
    package var labels: [String: String]
    /// Whether the label or annotation `autoheal` says `true`, in any case.
    package var isOptedIn: Bool
    /// As sent: it tells one outbreak of an alert from the next.
    package var startsAt: String
    /// Alertmanager's, else worked out from the labels.
    package var fingerprint: String

    /// Takes the parts.
    package init(
        status: String, labels: [String: String], isOptedIn: Bool, startsAt: String, fingerprint: String? = nil
    ) {
        self.status = status
        self.labels = labels
        self.isOptedIn = isOptedIn
        self.startsAt = startsAt
        self.fingerprint = fingerprint ?? Self.fingerprint(of: labels)
    }

    /// The label `alertname`.
    package var name: String { labels["alertname"] ?? "" }

    /// Whether something is wrong now.
    package var isFiring: Bool { status == "firing" }

    /// The first 16 hex digits of SHA-256 over the sorted `name=value` lines.
    package static func fingerprint(of labels: [String: String]) -> String {
        var hash = SHA256()
        for name in ASCII.sortedByBytes(labels.keys) {
            hash.update(data: Array("\(name)=\(labels[name] ?? "")\n".utf8))
        }
        return String(Hex.encode(hash.finalize()).prefix(16))
    }
}
