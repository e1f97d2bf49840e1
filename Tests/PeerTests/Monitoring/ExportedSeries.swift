// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport

/// What a daemon exports: every series of its metrics text, without the values.
struct ExportedSeries {
    /// Label sets by the name of the series.
    private(set) var series: [String: [[String: String]]] = [:]

    /// Reads the text of `/metrics`.
    ///
    /// - Throws: `PeerFault` with a line that is none.
    mutating func add(_ text: String) throws {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let name = try PromQLNames(String(line)).selectors.first else {
                throw PeerFault(message: "no series: \(line)")
            }
            var labels: [String: String] = [:]
            for matcher in name.matchers { labels[matcher.label] = matcher.value }
            series[name.metric, default: []].append(labels)
        }
    }

    var names: Set<String> { Set(series.keys) }

    /// The labels of a series, under whichever of its label sets.
    func labels(of name: String) -> Set<String> { Set((series[name] ?? []).flatMap(\.keys)) }

    func has(_ name: String, _ label: String, _ value: String) -> Bool {
        series[name]?.contains { $0[label] == value } == true
    }
}
