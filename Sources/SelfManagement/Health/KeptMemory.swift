// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What the leader remembers, and what the annotation said when that was read or written: nobody else's memory is overwritten.
struct KeptMemory: Sendable, Hashable {
    var memory = HealingMemory()
    /// The text of the annotation; nil where there was none.
    var text: String?

    /// What was just written.
    static func written(_ memory: HealingMemory) -> KeptMemory {
        KeptMemory(memory: memory, text: memory.isEmpty ? nil : memory.text)
    }

    /// Takes in what somebody else wrote since: it counts beside what is known here, and what was taken away or cannot be read lifts no limit.
    mutating func take(_ present: String?, at now: Timestamp) {
        guard present != text else { return }
        memory.add(HealingMemory(reading: present, at: now, budget: 0))
        text = present
    }
}
