// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Metrics

/// What live streams count. Every instrument exists from the start, at zero.
package struct LiveMetrics: Sendable {
    private let clients: [LiveTransport: Gauge]
    private let dropped: Counter

    package init(factory: any MetricsFactory) {
        var clients: [LiveTransport: Gauge] = [:]
        for transport in LiveTransport.allCases {
            clients[transport] = Gauge(
                label: "tollgate_events_clients", dimensions: [("kind", transport.rawValue)], factory: factory)
            clients[transport]?.record(0)
        }
        self.clients = clients
        dropped = Counter(label: "tollgate_events_dropped_total", factory: factory)
        dropped.increment(by: 0)
    }

    func clients(_ count: Int, over transport: LiveTransport) { clients[transport]?.record(count) }

    func dropped(_ count: Int) { dropped.increment(by: count) }
}

/// How a client is connected.
package enum LiveTransport: String, Sendable, CaseIterable {
    case sse, websocket
}
