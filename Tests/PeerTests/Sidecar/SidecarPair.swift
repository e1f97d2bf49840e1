// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport

/// A real operator and a real sidecar of it.
struct SidecarPair {
    static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: shop, namespace: acme}
        spec:
          hosts: [shop.example, "*.shop.example"]
          mode: required
          policy:
            builtinRoutes: false
            routes:
              - {methods: [GET], path: "/public/**", public: true}
              - {methods: [GET], path: "/tasks/{id}", permission: "tasks:read"}
              - {methods: [DELETE], path: "/tasks/{id}", permission: "tasks:delete"}
              - {methods: [GET], path: "/tenants/{tenant}/tasks", permission: "tasks:read"}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: other}
        spec: {hosts: [held.shop.example], mode: disabled}
        """

    let operating: TollgateDaemon
    let folder: TemporaryDirectory
    let port: Int
    let probePort: Int

    /// - Parameter settings: of the operator, beside the usual ones.
    init(settings: [String: String] = [:]) throws {
        operating = try Self.operating(settings)
        folder = try TemporaryDirectory()
        port = try FreePort.next()
        probePort = try FreePort.next()
    }

    /// An operator with the objects of these tests.
    static func operating(_ settings: [String: String]) throws -> TollgateDaemon {
        let tenants = ["TOLLGATE_NAMESPACE_TENANTS": "acme=acme,globex=globex"]
        return try TollgateDaemon(manifests: manifests, settings: tenants.merging(settings) { $1 })
    }

    var cache: String { folder.path("cache") }

    func environment(token: String?, _ more: [String: String] = [:]) -> [String: String] {
        var environment = [
            "TOLLGATE_UPSTREAM": "http://127.0.0.1:\(operating.port)", "TOLLGATE_SIDECAR_AUTH_CONFIG": "acme/shop",
            "TOLLGATE_SIDECAR_CACHE": cache, "TOLLGATE_LISTEN": "127.0.0.1:\(port)",
            "TOLLGATE_PROBE_LISTEN": "127.0.0.1:\(probePort)", "TOLLGATE_TRUSTED_PROXIES": "127.0.0.1/32",
            "TOLLGATE_DATA_DIR": folder.path("data"), "TOLLGATE_DECISION_TIMEOUT": "10s", "TOLLGATE_DRAIN_DELAY": "0s",
            "TOLLGATE_LOG_FORMAT": "text",
        ]
        environment["TOLLGATE_TOKEN"] = token
        return environment.merging(more) { $1 }
    }

    /// Runs `body` while the sidecar runs; with `isReady` it waits until that says so.
    func sidecar<Value>(
        token: String?, _ more: [String: String] = [:], isReady: Bool = true,
        _ body: (PeerProcess) async throws -> Value
    ) async throws -> Value {
        try await PeerProcess.with(
            name: "sidecar", executable: PeerPaths.tollgate(), arguments: ["run"],
            environment: environment(token: token, more), folder: folder
        ) { process in
            try await process.wait(forStatus: isReady ? 200 : 503, of: "/readyz", port: probePort)
            return try await body(process)
        }
    }

    /// Makes a token of a tenant at the operator, or at another replica of it.
    func mint(
        _ identifier: String, scopes: [String], tenant: String? = "acme", at replica: TollgateDaemon? = nil
    ) async throws -> String {
        let answer = try await (replica ?? operating).call(
            "POST", "/v1/service-tokens",
            body: .object([
                "identifier": .string(identifier), "scopes": .strings(scopes), "tenant_id": .optional(tenant),
            ]))
        guard answer.status == 201, let secret = try answer.json()["secret"]?.stringValue else {
            throw PeerFault(message: "no token \(identifier): \(answer.status) \(answer.text)")
        }
        return secret
    }

    /// Status and code of a decision at a port.
    func ask(
        _ port: Int, _ method: String = "GET", _ host: String = "shop.example", _ path: String = "/tasks/t1",
        token: String? = nil
    ) async throws -> String {
        var headers = [
            ("X-Forwarded-Method", method), ("X-Forwarded-Host", host), ("X-Forwarded-Uri", path),
            ("X-Forwarded-For", "192.0.2.10"),
        ]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        let answer = try await PlainHTTP.send("GET", "/v1/forward-auth/traefik", port: port, headers: headers)
        let identity = ["X-Tollgate-Subject", "X-Tollgate-Tenant", "X-Tollgate-Roles", "X-Tollgate-Scopes"]
            .map { answer.value($0) ?? "" }
        return "\(answer.status) \(answer.value("X-Auth-Reason") ?? "") \(identity.joined(separator: "|"))"
    }
}
