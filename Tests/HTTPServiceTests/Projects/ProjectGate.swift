// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import HTTPService
internal import HTTPTypes
internal import Pipeline
internal import TestSupport

/// The project endpoints over a registry in memory, asked by callers of several tenants.
struct ProjectGate: Sendable {
    let registry: ProjectRegistry
    let audit: FakeAudit
    let gate: Gate
    let clock = ManualClock()

    /// The header that names the caller as `subject@tenant`; a `+` in front makes a platform admin.
    private static let callerHeader = "x-test-caller"

    init(store: any ProjectStore = InMemoryProjectStore(), isWritable: Bool = true) {
        let audit = FakeAudit(isWritable: isWritable)
        let registry = ProjectRegistry(
            store: store, clock: clock, random: SeededRandom(seed: 5), publish: { _ in }, report: { _ in })
        self.registry = registry
        self.audit = audit
        gate = Gate(
            decider: FakeDecider(admit: { Self.admit($0) }), audit: audit,
            modules: [ProjectRoutes(registry: registry, audit: audit)])
    }

    private static func admit(_ request: OwnRequest) -> OwnAdmission {
        var name = Substring(request.headers.first(callerHeader) ?? "olga@acme")
        let isAdmin = name.hasPrefix("+")
        if isAdmin { name.removeFirst() }
        let parts = name.split(separator: "@")
        let principal = Principal(
            subject: String(parts[0]), identityType: .user, authSource: .jwt, platform: isAdmin,
            tenantID: parts.count > 1 ? String(parts[1]) : nil)
        let path = String(request.target.prefix { $0 != "?" })
        return .allowed(
            OwnCaller(
                principal: principal, admin: isAdmin, action: "test.action", route: "\(request.method) \(path)",
                canonicalPath: path, holds: { _ in true }))
    }

    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: String? = nil, as caller: String = "olga@acme",
        key: String? = nil
    ) async throws -> Reply {
        var headers = [(Self.callerHeader, caller)]
        if let key { headers.append(("Idempotency-Key", key)) }
        return try await gate.send(method, target, headers, body: body)
    }

    /// Makes projects of acme.
    func make(_ projects: String..., as caller: String = "olga@acme") async throws {
        for project in projects {
            _ = try await send(.post, "/v1/projects", #"{"id":"\#(project)","name":"\#(project)"}"#, as: caller)
        }
    }

    static let offer = #"{"resource_type":"agent","resource_id":"m1","project":"apollo","permissions":["read"]}"#

    /// The id of an offer of zeus to apollo.
    func offered(_ body: String = offer) async throws -> String {
        try await send(.post, "/v1/projects/zeus/access", body).json["id"]?.stringValue ?? "none"
    }
}
