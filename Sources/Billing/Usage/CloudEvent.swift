// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// One event as it came in, in whichever mode: nothing in it is checked yet.
package struct CloudEvent: Sendable, Hashable {
    /// The attributes of its context, by their names in lower case, and `data`.
    package var members: JSONObject

    package init(members: JSONObject) { self.members = members }
}

/// What a call brought.
package struct CloudEventBatch: Sendable, Hashable {
    package var events: [CloudEvent]
    /// Whether it was one event by itself, not a list of events.
    package var isSingle: Bool

    package init(events: [CloudEvent], isSingle: Bool) {
        self.events = events
        self.isSingle = isSingle
    }
}
