// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Glibc
internal import TestSupport

/// Requests without a pause, by wrk.
struct SteadyLoad: Sendable, CustomStringConvertible {
    /// Answers in all.
    let requests: Int
    /// In a second.
    let rate: Double
    /// Answers other than 2xx and 3xx.
    let refused: Int
    /// Connections that failed and answers that did not come.
    let broken: Int

    var description: String { "\(requests) requests, \(rate)/s, \(refused) refused, \(broken) broken" }

    /// Whether every request was answered as it should, and there were enough of them to say so.
    var isWhole: Bool { refused == 0 && broken == 0 && requests > 1_000 }

    /// Asks while `body` runs.
    static func during(
        _ target: String, port: Int, headers: [String: String], connections: Int, _ body: () async throws -> Void
    ) async throws -> SteadyLoad {
        try await PeerProcess.with(
            name: "wrk", executable: try PeerPaths.path(of: .wrk),
            arguments: ["-t", "1", "-c", "\(connections)", "-d", "1800s", "--timeout", "60s"]
                + headers.sorted { $0.key < $1.key }.flatMap { ["-H", "\($0.key): \($0.value)"] }
                + ["http://127.0.0.1:\(port)\(target)"], folder: try TemporaryDirectory()
        ) { process in
            try await body()
            // Then it says what it has counted.
            process.signal(SIGINT)
            let status = try await Eventually.value("wrk to end") { process.exitStatus }
            guard status == 0, let load = SteadyLoad(report: process.output) else {
                throw PeerFault(message: "wrk ended with \(status):\n\(process.output)")
            }
            return load
        }
    }

    /// - Parameter report: what wrk prints at its end.
    private init?(report: String) {
        var (requests, rate): (Int?, Double?)
        var (refused, broken) = (0, 0)
        for line in report.split(separator: "\n").map({ $0.trimmingPrefix { $0 == " " } }) {
            let words = line.split(separator: " ")
            if line.contains("requests in") { requests = words.first.flatMap { Int($0) } }
            if line.hasPrefix("Requests/sec:") { rate = words.last.flatMap { Double($0) } }
            if line.hasPrefix("Non-2xx") { refused = words.last.flatMap { Int($0) } ?? 1 }
            if line.hasPrefix("Socket errors:") {
                broken = words.compactMap { Int($0.filter { $0 != "," }) }.reduce(0, +)
            }
        }
        guard let requests, let rate else { return nil }
        self.requests = requests
        self.rate = rate
        self.refused = refused
        self.broken = broken
    }
}
