// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What has to be remembered so that healing cannot loop, whoever leads. It is kept in an annotation of the own Deployment.
package struct HealingMemory: Sendable, Hashable {
    /// Where it is kept.
    package static let annotation = "tollgate.dev/self-management"

    /// Of the last window, the oldest first.
    package var evictions: [Timestamp] = []
    /// How many rolling restarts were begun without a good time between them.
    package var restarts = 0
    package var lastRestart: Timestamp?
    /// Since when no pod has been unhealthy; only kept while there are restarts to be forgotten.
    package var healthySince: Timestamp?
    /// When people were told that healing is suspended; nil from when the whole budget is there again.
    package var toldSuspended: Timestamp?
    /// When somebody last asked for another number of replicas.
    package var scaledAt: Timestamp?

    /// Nothing happened yet.
    package init() {}

    /// Reads the annotation. What cannot be read counts as a budget that is used up: whoever wrote it, it lifts no limit.
    package init(reading text: String?, at now: Timestamp, budget: Int) {
        self.init()
        guard let text else { return }
        guard text.utf8.count <= 4096, let document = try? JSONParser.parse(Array(text.utf8)),  // said below
            let object = document.objectValue, let evictions = object["evictions"]?.arrayValue, evictions.count <= 64
        else {
            self.evictions = Array(repeating: now, count: budget)
            return
        }
        // Times that have not come yet would hold for longer than any budget.
        func time(_ value: JSONValue?) -> Timestamp? { value?.timestampValue.map { min($0, now) } }
        self.evictions = evictions.compactMap { time($0) }.sorted()
        restarts = Int(clamping: min(max(object["restarts"]?.intValue ?? 0, 0), 64))
        lastRestart = time(object["last_restart"])
        healthySince = time(object["healthy_since"])
        toldSuspended = time(object["told_suspended"])
        scaledAt = time(object["scaled_at"])
    }

    /// Adds what another remembers: of both the one that holds for longer.
    package mutating func add(_ other: HealingMemory) {
        evictions = Array(Set(evictions).union(other.evictions)).sorted().suffix(64)
        restarts = max(restarts, other.restarts)
        lastRestart = [lastRestart, other.lastRestart].compactMap(\.self).max()
        healthySince = [healthySince, other.healthySince].compactMap(\.self).max()
        toldSuspended = [toldSuspended, other.toldSuspended].compactMap(\.self).max()
        scaledAt = [scaledAt, other.scaledAt].compactMap(\.self).max()
    }

    /// Whether there is nothing to remember.
    package var isEmpty: Bool { self == HealingMemory() }

    /// What the annotation says.
    package var text: String {
        var object: JSONObject = [
            "evictions": .strings(evictions.map(\.rfc3339Micros)), "restarts": .int(Int64(restarts)),
        ]
        if let lastRestart { object["last_restart"] = .string(lastRestart.rfc3339Micros) }
        if let healthySince { object["healthy_since"] = .string(healthySince.rfc3339Micros) }
        if let toldSuspended { object["told_suspended"] = .string(toldSuspended.rfc3339Micros) }
        if let scaledAt { object["scaled_at"] = .string(scaledAt.rfc3339Micros) }
        return String(decoding: JSONValue.object(object).encoded(), as: UTF8.self)
    }
}
