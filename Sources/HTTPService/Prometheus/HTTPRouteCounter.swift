// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Counts the answers of one route by method and status code.
///
/// Every place is there from the start, so that counting is one addition. What was never asked for is not written; of a method that was,
/// codes 200, 500 and 503 are written even at zero, because a rate begins with the second sample of a series: so the first failure shows, and a route
/// that only fails has a share of successes, which is none.
package final class HTTPRouteCounter: PrometheusSeries {
    /// In the order of the places; whatever else there is counts as the last.
    private static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"]
    /// In the order of the places. A code that is not here counts as its class, in the five places behind.
    private static let codes = [
        101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410,
        412, 413, 414, 415, 421, 422, 426, 428, 429, 431, 500, 501, 502, 503, 504,
    ]
    private static let texts = codes.map(String.init) + ["1xx", "2xx", "3xx", "4xx", "5xx"]
    private static let alwaysWritten: Set = ["200", "500", "503"]
    /// The place of every code from 100 to 599.
    private static let places: [Int] = (100..<600).map { code in
        codes.firstIndex(of: code) ?? codes.count + code / 100 - 1
    }
    /// Places for each method; more than there are codes.
    private static let width = 48

    private let counts = InlineArray<384, Atomic<Int64>> { _ in Atomic(0) }

    /// Counts one answer.
    func count(method: String, status: Int) {
        let code = (100..<600).contains(status) ? status : 599
        let place = Self.place(of: method) * Self.width + Self.places[code - 100]
        counts[place].wrappingAdd(1, ordering: .relaxed)
    }

    private static func place(of method: String) -> Int {
        switch method {
        case "GET": 0
        case "POST": 1
        case "PUT": 2
        case "PATCH": 3
        case "DELETE": 4
        case "HEAD": 5
        case "OPTIONS": 6
        default: 7
        }
    }

    package func write(name: String, labels: String, to text: inout PrometheusText) {
        for (row, method) in Self.methods.enumerated() {
            let values = Self.texts.indices.map { counts[row * Self.width + $0].load(ordering: .relaxed) }
            guard values.contains(where: { $0 != 0 }) else { continue }
            for (code, value) in zip(Self.texts, values) where value != 0 || Self.alwaysWritten.contains(code) {
                text.sample(name, labels: "\(labels),method=\"\(method)\",code=\"\(code)\"", value: String(value))
            }
        }
    }
}
