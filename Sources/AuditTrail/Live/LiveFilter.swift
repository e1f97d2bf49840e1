// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What one client wants to see, and may.
package struct LiveFilter: Sendable {
    /// Which events.
    package enum Stream: String, Sendable, CaseIterable {
        /// Healing events.
        case healing
        /// Every other entry of the trail.
        case audit
        /// Both.
        case all
    }

    package var stream: Stream
    /// Only healing events of that kind.
    package var kind: String?
    package var query: BooleanQuery?
    /// Decides which tenants' entries there are to see.
    package var reader: AuditReader

    package init(stream: Stream, kind: String? = nil, query: BooleanQuery? = nil, reader: AuditReader) {
        self.stream = stream
        self.kind = kind
        self.query = query
        self.reader = reader
    }

    /// Everything but the query, which costs nothing to speak of.
    func admits(_ event: LiveEvent) -> Bool {
        switch stream {
        case .healing where !event.isHealing: return false
        case .audit where event.isHealing: return false
        default: break
        }
        if let kind, event.kind != kind { return false }
        switch reader {
        case .platform: return true
        case .tenant(let tenant): return tenant != nil && event.tenant == tenant
        }
    }

    /// Whether the query, if there is one, holds for it.
    func matches(_ event: LiveEvent) -> Bool { query?.matches(event.members) ?? true }

    /// The actions that an index is to be asked for; nil = every one.
    var actions: [String]? {
        guard stream == .healing else { return nil }
        return kind.map { [HealingView.actionPrefix + $0] } ?? HealingView.actions
    }
}
