// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Metrics
internal import TestSupport

/// A hub over fakes, whose clock a test moves.
struct LiveWorld {
    let clock = ManualMonotonicClock()
    let history = FakeHistory()
    let hub: LiveHub

    init(_ change: (inout LiveSettings) -> Void = { _ in }, metrics: any MetricsFactory = NOOPMetricsHandler.instance) {
        var settings = LiveSettings()
        change(&settings)
        hub = LiveHub(
            settings: settings, history: history, clock: clock, metrics: LiveMetrics(factory: metrics))
    }

    /// Takes entries round.
    func write(_ rows: [AuditRow]) {
        hub.add(rows)
        hub.flush()
    }

    func open(
        _ stream: LiveFilter.Stream = .all, kind: String? = nil, query: String? = nil, reader: AuditReader = .platform,
        after id: String? = nil, identity: String = "one", abandon: @escaping @Sendable () -> Void = {}
    ) throws -> LiveSubscription {
        try hub.open(
            LiveFilter(
                stream: stream, kind: kind, query: try query.map { try BooleanQuery(parsing: $0) }, reader: reader),
            over: .sse, identity: identity, after: id, abandon: abandon)
    }
}

extension LiveSubscription {
    /// The ids of the next events.
    func ids() async -> [String] {
        guard case .events(let events) = await next() else { return [] }
        return events.map(\.id)
    }

    /// The ids of the next events, turn by turn, until there are so many.
    func ids(_ count: Int) async -> [String] {
        var ids: [String] = []
        while ids.count < count {
            let more = await self.ids()
            guard !more.isEmpty else { return ids }
            ids += more
        }
        return ids
    }
}

extension LiveTurn {
    var end: LiveEnd? {
        guard case .ended(let end) = self else { return nil }
        return end
    }
}
