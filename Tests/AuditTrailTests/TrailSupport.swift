// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import CoreMetrics
internal import Essentials
internal import Foundation
internal import Logging
internal import TestSupport

/// A directory that goes away afterwards.
func withDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let url = FileManager.default.temporaryDirectory.appending(path: "audit-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }  // what is left over in a temporary directory hurts nobody
    return try await body(url.path)
}

/// A trail in that directory.
func makeTrail(
    _ directory: String, clock: ManualClock = ManualClock(), index: (any AuditIndexing)? = nil,
    calls: FileCalls = .system, change: (inout AuditSettings) -> Void = { _ in }
) -> AuditLog {
    var settings = AuditSettings(directory: directory, writer: "w1")
    change(&settings)
    return AuditLog(
        settings: settings, index: index, clock: clock, random: SeededRandom(seed: 1),
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        metricsFactory: NOOPMetricsHandler.instance, calls: calls)
}

func makeDraft(_ actor: String = "user-1", tenant: String? = "acme", resource: String = "/v1/x") -> AuditDraft {
    AuditDraft(
        actor: actor, action: "tool.execute", resource: resource, outcome: .success,
        metadata: ["method": "POST", "status": 200], ip: "10.0.0.5", tenant: tenant, requestID: "req-00000001")
}

func makeRefusal(_ address: String) -> AuditDraft {
    AuditDraft(
        actor: "anonymous", action: "http.unknown_route", resource: "/x", outcome: .denied,
        metadata: ["method": "GET", "status": 401], ip: address)
}

func makeDecision(_ actor: String, at: Timestamp) -> AllowedDecision {
    AllowedDecision(
        actor: actor, tenant: "acme", host: "api.example.com", method: "GET", route: "/v1/x/{id}", path: "/v1/x/1",
        status: 200, ip: IPAddress("10.0.0.5"), authSource: "service_token", requestID: "req-00000001", at: at)
}

/// Everything in the trail, oldest first.
func everything(_ trail: AuditLog) async throws -> [AuditRow] {
    var query = AuditQuery()
    query.order = .ascending
    query.limit = 1000
    return try await trail.query(query, as: .platform).rows
}
