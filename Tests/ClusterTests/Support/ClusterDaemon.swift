// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport

/// The real daemon on a control plane, with a data directory of its own.
struct ClusterDaemon {
    static let adminToken = "admin-token-of-the-cluster-tests-0123456789abcdef"

    let name: String
    /// The own namespace.
    let own: String
    let folder: TemporaryDirectory
    let port: Int
    let probePort: Int
    private let kubeconfig: String
    private let settings: [String: String]

    /// - Parameters:
    ///   - own: the own namespace, where the Lease is.
    ///   - watched: the namespaces whose objects are read.
    ///   - settings: further ones; an empty text takes one away.
    init(
        _ name: String, kubeconfig: String, own: String, watched: String, settings: [String: String] = [:]
    ) throws {
        self.name = name
        self.own = own
        folder = try TemporaryDirectory()
        port = try FreePort.next()
        probePort = try FreePort.next()
        self.kubeconfig = kubeconfig
        self.settings = [
            "TOLLGATE_LISTEN": "127.0.0.1:\(port)", "TOLLGATE_PROBE_LISTEN": "127.0.0.1:\(probePort)",
            "TOLLGATE_DATA_DIR": folder.path("data"), "TOLLGATE_AUTH_TOKEN": Self.adminToken,
            "TOLLGATE_DECISION_TIMEOUT": "10s", "TOLLGATE_DRAIN_DELAY": "0s", "TOLLGATE_LOG_FORMAT": "text",
            "TOLLGATE_WATCH_NAMESPACES": watched, "TOLLGATE_TRUSTED_PROXIES": "127.0.0.1/32", "POD_NAME": name,
            "POD_NAMESPACE": own, "POD_IP": "127.0.0.1",
        ].merging(settings) { $1 }.filter { !$0.value.isEmpty }
    }

    /// Runs `body` while the daemon runs and is ready.
    func running<Value>(_ body: (PeerProcess) async throws -> Value) async throws -> Value {
        try await PeerProcess.with(
            name: name, executable: PeerPaths.tollgate(), arguments: ["run", "--kubeconfig", kubeconfig],
            environment: settings, folder: folder
        ) { process in
            try await process.wait(forStatus: 200, of: "/readyz", port: probePort, within: .seconds(180))
            return try await body(process)
        }
    }

    /// Starts it; whoever asks for this ends the process.
    func start() throws -> PeerProcess {
        try PeerProcess(
            name: name, executable: PeerPaths.tollgate(), arguments: ["run", "--kubeconfig", kubeconfig],
            environment: settings, folder: folder)
    }

    /// What the JSON door says about a GET: `allow`, or the code of the refusal.
    func decide(host: String, path: String = "/v1/me", token: String?) async throws -> String {
        var body: JSONObject = [
            "request": ["method": "GET", "host": .string(host), "path": .string(path)]
        ]
        if let token { body["credential"] = .string(token) }
        let answer = try await PlainHTTP.send(
            "POST", "/v1/decisions", port: port,
            headers: [("Authorization", "Bearer \(Self.adminToken)"), ("Content-Type", "application/json")],
            body: JSONValue.object(body).encoded())
        let document = try answer.json()
        return document["decision"] == "allow" ? "allow" : document["code"]?.stringValue ?? "\(answer.status)"
    }

    /// What the metrics say.
    func metrics() async throws -> String {
        try await PlainHTTP.send("GET", "/metrics", port: probePort, headers: [], body: []).text
    }
}

/// An AuthConfig, its key and a token in one namespace, and the JSON Web Tokens that fit.
struct Installation {
    let namespace: String
    let key = "key-of-the-cluster-tests-0123456789abcdef"

    var host: String { "api.\(namespace).example" }

    /// - Parameter audience: what tokens must be made for.
    func objects(audience: String = "acme-api") -> String {
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: issuer, namespace: \(namespace), labels: {tollgate.dev/managed: "true"}}
        stringData: {hs256: \(key)}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: api, namespace: \(namespace)}
        spec:
          hosts: [\(host)]
          mode: required
          issuers:
            - {name: sign-in, issuer: "https://id.example", secretRef: {name: issuer, key: hs256}, algorithms: [HS256], audiences: [\(audience)]}
          policy:
            routes: [{methods: [GET], path: /v1/me, authenticated: true}]
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: ServiceToken
        metadata: {name: ci, namespace: \(namespace)}
        spec: {secretName: ci-token, scopes: ["tasks:read"], roles: [a2a-agent], expiresIn: 720h, rotation: {every: 168h, overlap: 1h}}
        ---
        apiVersion: tollgate.dev/v1alpha1
        kind: Subscription
        metadata: {name: plan, namespace: \(namespace)}
        spec: {tenant: acme, source: manual, plan: pro}
        """
    }

    /// A token that is good for an hour.
    func token(audience: String = "acme-api") throws -> String {
        let now = SystemWallClock().now().seconds
        return try TokenForge.token(
            header: ["alg": "HS256", "typ": "JWT"],
            claims: [
                "iss": "https://id.example", "sub": "user-1", "aud": .string(audience), "iat": .int(now - 60),
                "exp": .int(now + 3600),
            ], key: .secret(Array(key.utf8)))
    }
}
