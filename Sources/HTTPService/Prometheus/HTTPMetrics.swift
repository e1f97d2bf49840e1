// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Metrics
internal import Pipeline

/// What the HTTP listeners count themselves. The pipeline counts decisions, `DoorRecords` what never reaches it.
///
/// Answers are counted by the pattern of their route, never by the path that was sent.
struct HTTPMetrics: Sendable {
    /// Answers to requests that no route was found for.
    let unrouted: HTTPRouteCounter
    /// Decisions at once.
    let inFlight: Meter
    private let registry: PrometheusRegistry
    private let doors: [Door: HTTPRouteCounter]
    private let calls: [DecisionsDoor.Call: HTTPRouteCounter]

    init(registry: PrometheusRegistry) {
        self.registry = registry
        unrouted = registry.routeCounter("other")
        var doors: [Door: HTTPRouteCounter] = [:]
        for door in Door.allCases {
            guard let pattern = ForwardAuthDoor.pattern(of: door) else { continue }
            doors[door] = registry.routeCounter(pattern)
        }
        self.doors = doors
        var calls: [DecisionsDoor.Call: HTTPRouteCounter] = [:]
        for call in DecisionsDoor.Call.allCases { calls[call] = registry.routeCounter(DecisionsDoor.path(of: call)) }
        self.calls = calls
        inFlight = Meter(label: "tollgate_decisions_in_flight", dimensions: [], factory: registry)
        inFlight.set(0)
    }

    /// Where the answers of a forward-auth door are counted.
    func counter(of door: Door) -> HTTPRouteCounter { doors[door] ?? unrouted }

    /// Where the answers of a decisions door are counted.
    func counter(of call: DecisionsDoor.Call) -> HTTPRouteCounter { calls[call] ?? unrouted }

    /// Where the answers of a route of the own API are counted.
    func counter(ofPattern pattern: String) -> HTTPRouteCounter { registry.routeCounter(pattern) }
}
