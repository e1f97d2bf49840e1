// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What is counted of a database. Every label value exists from the start.
struct PostgreSQLMetrics: Sendable {
    private let size: Gauge
    private let made: Gauge
    private let inUse: Gauge
    private let waiting: Gauge
    private let wait: Metrics.Timer
    private let seconds: Metrics.Timer
    private let errors: [PostgreSQLError.Code: Counter]

    init(factory: any MetricsFactory, poolSize: Int) {
        func gauge(_ label: String, _ value: Int) -> Gauge {
            let gauge = Gauge(label: label, factory: factory)
            gauge.record(value)
            return gauge
        }
        size = gauge("tollgate_postgresql_pool_size", poolSize)
        made = gauge("tollgate_postgresql_connections_open", 0)
        inUse = gauge("tollgate_postgresql_connections_in_use", 0)
        waiting = gauge("tollgate_postgresql_waiting", 0)
        wait = Timer(label: "tollgate_postgresql_wait_seconds", factory: factory)
        seconds = Timer(label: "tollgate_postgresql_transaction_seconds", factory: factory)
        errors = Dictionary(
            uniqueKeysWithValues: PostgreSQLError.Code.allCases.map { code in
                let counter = Counter(
                    label: "tollgate_postgresql_errors_total", dimensions: [("code", code.label)], factory: factory)
                counter.increment(by: 0)
                return (code, counter)
            })
    }

    func shows(open count: Int) { made.record(count) }
    func shows(inUse count: Int) { inUse.record(count) }
    func shows(waiting count: Int) { waiting.record(count) }
    func waited(microseconds: Int64) { wait.recordMicroseconds(microseconds) }
    func took(nanoseconds: Int64) { seconds.recordNanoseconds(nanoseconds) }
    func failed(_ code: PostgreSQLError.Code) { errors[code]?.increment() }
}

extension PostgreSQLError.Code {
    /// The name in snake case.
    package var label: String {
        var text = ""
        for character in rawValue {
            if character.isUppercase { text += "_" }
            text += character.lowercased()
        }
        return text
    }
}
