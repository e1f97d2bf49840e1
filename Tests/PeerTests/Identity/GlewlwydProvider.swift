// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import TestSupport

/// glewlwyd as an OIDC provider: SQLite beneath, its `oidc` plugin with ES256 keys of ours, configured over its admin API.
struct GlewlwydProvider {
    /// Where it listens.
    let port: Int
    private let process: PeerProcess
    private let session: String

    /// The issuer, exactly as in its tokens and its discovery document.
    var issuer: String { "http://127.0.0.1:\(port)/api/oidc" }
    /// Where its keys are.
    var keySetURL: String { "\(issuer)/jwks" }

    /// Runs `body` while a provider runs whose one key is `keyID` and whose one client may get tokens of audience `catalog`.
    static func with(
        keyID: String, folder: TemporaryDirectory, body: (GlewlwydProvider) async throws -> Void
    ) async throws {
        let port = try FreePort.next()
        let config = try await prepare(port: port, folder: folder)
        try await PeerProcess.with(
            name: "glewlwyd", executable: PeerPaths.path(of: .glewlwyd), arguments: ["--config-file=\(config)"],
            folder: folder
        ) { process in
            try await process.wait(forOutput: "Glewlwyd started on port")
            try await process.wait(forPort: port)
            let login = try await PlainHTTP.send(
                "POST", "/api/auth/", port: port, headers: [("Content-Type", "application/json")],
                body: JSONValue.object(["username": "admin", "password": "password"]).encoded())
            guard let cookie = login.value("Set-Cookie")?.split(separator: ";").first else {
                throw PeerFault(message: "glewlwyd lets the first administrator not in: \(login.status)")
            }
            let provider = GlewlwydProvider(port: port, process: process, session: String(cookie))
            try await provider.admin("POST", "/api/mod/plugin/", provider.plugin(keyIDs: [keyID]))
            try await provider.admin("POST", "/api/client/?source=database", Self.client)
            try await body(provider)
        }
    }

    /// A token of the client, signed with the present key.
    func accessToken() async throws -> String {
        let form = "grant_type=client_credentials&scope=catalog"
        let answer = try await PlainHTTP.send(
            "POST", "/api/oidc/token", port: port,
            headers: [
                ("Content-Type", "application/x-www-form-urlencoded"),
                // robot:robot-password
                ("Authorization", "Basic cm9ib3Q6cm9ib3QtcGFzc3dvcmQ="),
            ], body: Array(form.utf8))
        guard answer.status == 200, let token = try answer.json()["access_token"]?.stringValue else {
            throw PeerFault(message: "glewlwyd gives no token: \(answer.status) \(answer.text)")
        }
        return token
    }

    /// Replaces the key: what the old one signed is no longer backed by the key set.
    func rotate(to keyID: String) async throws {
        try await admin("PUT", "/api/mod/plugin/oidc", plugin(keyIDs: [keyID]))
        try await admin("PUT", "/api/mod/plugin/oidc/reset", nil)
    }

    /// Ends it: from now on nobody answers at its address.
    func stop() async { await process.end() }

    private func admin(_ method: String, _ path: String, _ body: JSONValue?) async throws {
        let answer = try await PlainHTTP.send(
            method, path, port: port, headers: [("Content-Type", "application/json"), ("Cookie", session)],
            body: body?.encoded() ?? [])
        guard answer.status == 200 else {
            throw PeerFault(message: "glewlwyd: \(method) \(path) gives \(answer.status) \(answer.text)")
        }
    }

    private func plugin(keyIDs: [String]) -> JSONValue {
        let keys = JSONValue.object(["keys": .array(keyIDs.map(Self.privateKey))])
        return .object([
            "module": "oidc", "name": "oidc", "display_name": "oidc", "enabled": true,
            "parameters": .object([
                "iss": .string(issuer), "jwt-type": "ecdsa", "jwt-key-size": "256", "jwks-show": true,
                "jwks-private": .string(String(decoding: keys.encoded(), as: UTF8.self)),
                "default-kid": .string(keyIDs[0]), "access-token-duration": 3600, "refresh-token-duration": 7200,
                "code-duration": 600, "allow-non-oidc": true, "auth-type-client-enabled": true,
                "auth-type-code-enabled": true, "auth-type-token-enabled": true, "auth-type-password-enabled": true,
                "auth-type-refresh-enabled": true, "refresh-token-rolling": true,
            ]),
        ])
    }

    private static let client: JSONValue = .object([
        "client_id": "robot", "name": "robot", "password": "robot-password", "confidential": true, "enabled": true,
        "redirect_uri": .array([]), "authorization_type": .strings(["client_credentials"]),
        "scope": .strings(["catalog"]), "token_endpoint_auth_method": .strings(["client_secret_basic"]),
    ])

    private static func privateKey(id: String) -> JSONValue {
        // X9.63: 0x04, then x, y and d of 32 bytes each.
        let bytes = Array(P256.Signing.PrivateKey().x963Representation)
        return .object([
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": .string(id),
            "x": .string(Base64URL.encode(bytes[1..<33])), "y": .string(Base64URL.encode(bytes[33..<65])),
            "d": .string(Base64URL.encode(bytes[65..<97])),
        ])
    }

    /// Makes the database from the package's schema, with its first administrator, and writes the configuration.
    private static func prepare(port: Int, folder: TemporaryDirectory) async throws -> String {
        let root = PeerPaths.unpackedRoot
        let schema = "\(root)/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
        let database = folder.path("glewlwyd.db")
        let made = try await PeerProcess.run(
            name: "sqlite3", executable: PeerPaths.path(of: .sqlite3), arguments: [database, ".read \(schema)"],
            folder: folder)
        guard made.status == 0 else { throw PeerFault(message: "no database for glewlwyd: \(made.output)") }
        let modules = "\(root)/usr/lib/glewlwyd"
        return try folder.write(
            """
            port=\(port)
            bind_address="127.0.0.1"
            external_url="http://127.0.0.1:\(port)"
            login_url="login.html"
            api_prefix="api"
            log_mode="console"
            log_level="INFO"
            cookie_secure=0
            session_key="GLEWLWYD2_SESSION_ID"
            admin_scope="g_admin"
            profile_scope="g_profile"
            user_module_path="\(modules)/user"
            client_module_path="\(modules)/client"
            user_auth_scheme_module_path="\(modules)/scheme"
            plugin_module_path="\(modules)/plugin"
            hash_algorithm="SHA512"
            database = { type = "sqlite3"; path = "\(database)"; };

            """, to: "glewlwyd.conf")
    }
}
