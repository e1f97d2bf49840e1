// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The upper bounds of the buckets of a family of histograms.
struct PrometheusBuckets: Sendable {
    /// In nanoseconds, rising.
    let nanoseconds: [Int64]
    /// The same as they stand in `le`.
    let texts: [String]

    private init(_ texts: [String]) {
        self.texts = texts
        nanoseconds = texts.map { Int64(((Double($0) ?? 0) * 1_000_000_000).rounded()) }
    }

    /// For what takes microseconds: decisions and their steps.
    static let fast = PrometheusBuckets([
        "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
        "0.5", "1",
    ])
    /// For what ends with a disk.
    static let disk = PrometheusBuckets(["0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1"])
    /// For what ends when a cluster has done it.
    static let cluster = PrometheusBuckets(["0.1", "0.5", "1", "2.5", "5", "10", "30", "60", "120", "300", "600"])

    /// The bounds of a family by its name; dashboards and rules rely on them.
    static func of(_ name: String) -> PrometheusBuckets {
        switch name {
        case "tollgate_audit_write_seconds", "autoheal_audit_write_seconds": disk
        case "autoheal_action_duration_seconds": cluster
        default: fast
        }
    }
}
