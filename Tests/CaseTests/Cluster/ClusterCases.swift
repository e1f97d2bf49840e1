// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// Runs every case of `Tests/Cases/cluster*.json`.
@Suite struct ClusterCases {
    /// How each kind of case is run.
    static let runners: [String: @Sendable (CaseRecord) async throws -> Void] = [
        "pod_health": ClusterKinds.podHealth,
        "health_plan": ClusterKinds.healthPlan,
        "scale": ClusterKinds.scale,
        "healing": ClusterKinds.healing,
    ]

    @Test(arguments: CaseFile.all(area: "cluster"))
    func holds(_ record: CaseRecord) async throws {
        let run = try #require(Self.runners[record.kind], "unknown kind \(record.kind) in \(record.id)")
        try await run(record)
    }

    @Test func thereAreCases() {
        #expect(CaseFile.all(area: "cluster").count >= 37)
    }
}

/// One function a kind, each in a file of its own under `Kinds/`.
enum ClusterKinds {
    /// A time of a case.
    static func time(_ value: JSONValue?) throws -> Timestamp {
        try #require(value?.stringValue.flatMap { Timestamp(rfc3339: $0) })
    }
}
