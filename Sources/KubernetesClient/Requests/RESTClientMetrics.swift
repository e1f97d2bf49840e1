// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics
internal import Synchronization

/// What is counted of the calls. Names are those of every Kubernetes client, so that existing dashboards fit.
final class RESTClientMetrics: Sendable {
    /// How many different answers are told apart; a status is three digits, so this is never reached by a server that follows HTTP.
    private static let maximumCounters = 512

    private struct Key: Hashable {
        let code: String
        let method: APIRequest.Method
    }

    private let factory: any MetricsFactory
    private let seconds: [APIRequest.Method: Metrics.Timer]
    private let counters: Mutex<[Key: Counter]>

    init(factory: any MetricsFactory) {
        self.factory = factory
        seconds = Dictionary(
            uniqueKeysWithValues: APIRequest.Method.allCases.map {
                (
                    $0,
                    Timer(
                        label: "rest_client_request_duration_seconds", dimensions: [("verb", $0.rawValue)],
                        factory: factory)
                )
            })
        var counters: [Key: Counter] = [:]
        for method in APIRequest.Method.allCases {
            for code in ["200", "<error>"] {
                let key = Key(code: code, method: method)
                counters[key] = Self.counter(key, factory)
            }
        }
        self.counters = Mutex(counters)
    }

    /// One attempt ended: with the head of an answer, or (status nil) without.
    func ended(_ method: APIRequest.Method, status: Int?, nanoseconds: Int64) {
        seconds[method]?.recordNanoseconds(nanoseconds)
        let code = status.map { (100...599).contains($0) ? String($0) : "other" } ?? "<error>"
        let key = Key(code: code, method: method)
        counters.withLock { counters in
            if let counter = counters[key] { return counter }
            let counter = Self.counter(key, factory)
            if counters.count < Self.maximumCounters { counters[key] = counter }
            return counter
        }.increment()
    }

    private static func counter(_ key: Key, _ factory: any MetricsFactory) -> Counter {
        let counter = Counter(
            label: "rest_client_requests_total", dimensions: [("code", key.code), ("method", key.method.rawValue)],
            factory: factory)
        counter.increment(by: 0)
        return counter
    }
}
