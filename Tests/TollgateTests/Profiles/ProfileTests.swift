// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct ProfileTests {
    /// The credential that a command sent, and what it said beside.
    private func sent(
        _ arguments: [String] = [], home: String, environment: [String: String] = [:]
    ) async throws -> (authorization: String?, run: CommandRun) {
        try await LoopbackHTTPServer.with({ _ in .json(#"{"items":[],"snapshot":1}"#) }) { server in
            let replaced = environment.mapValues { $0.replacing("SERVER", with: server.url) }
            for name in ["cli.toml", "credentials.json"] {
                let path = home + "/.config/tollgate/" + name
                if let text = try? String(contentsOfFile: path, encoding: .utf8), text.contains("SERVER") {
                    let bits = try mode(of: path)
                    try put(text.replacing("SERVER", with: server.url), at: path, mode: bits)
                }
            }
            let result = await tollgateTests(arguments.map { $0.replacing("SERVER", with: server.url) }, home, replaced)
            return (server.requests.first?.header("authorization"), result)
        }
    }

    private func tollgateTests(
        _ arguments: [String], _ home: String, _ environment: [String: String]
    ) async -> CommandRun {
        await run(["get"] + arguments, home: home, environment: environment)
    }

    @Test func flagBeatsEnvironmentBeatsProfileBeatsLoginBeatsAdminToken() async throws {
        try await withHome { home in
            let directory = home + "/.config/tollgate"
            try put("admin-secret\n", at: home + "/.local/state/tollgate/admin-token")
            let server = ["TOLLGATE_API_URL": "SERVER"]
            #expect(try await sent(home: home, environment: server).authorization == "Bearer admin-secret")
            try put(
                #"{"server":"SERVER","access_token":"login","refresh_token":null,"expires_at":"2026-03-02T00:00:00Z"}"#,
                at: directory + "/credentials.json")
            #expect(try await sent(home: home).authorization == "Bearer login")
            try put(
                "[default]\napi_url = \"SERVER\"\nservice_token = \"profile\"\n[profiles.ops]\napi_url = \"SERVER\"\nservice_token = \"ops\"\n",
                at: directory + "/cli.toml")
            #expect(try await sent(home: home).authorization == "Bearer profile")
        }
    }

    @Test func aProfileIsChosenByFlagThenEnvironment() async throws {
        try await withHome { home in
            try put(
                "[default]\nservice_token = \"d\"\n[profiles.ops]\nservice_token = \"ops\"\n[profiles.dev]\nservice_token = \"dev\"\n",
                at: home + "/.config/tollgate/cli.toml")
            var environment = ["TOLLGATE_API_URL": "SERVER", "ORCHEO_PROFILE": "dev"]
            #expect(try await sent(home: home, environment: environment).authorization == "Bearer dev")
            #expect(
                try await sent(["--profile", "ops"], home: home, environment: environment).authorization == "Bearer ops"
            )
            environment["CODETETHER_TOKEN"] = "environment"
            #expect(try await sent(home: home, environment: environment).authorization == "Bearer environment")
            #expect(
                try await sent(["--token", "flag"], home: home, environment: environment).authorization == "Bearer flag"
            )
        }
    }

    @Test func aPastOrUnreadableExpiryIsNoLogin() async throws {
        for expiry in ["\"2026-03-01T11:59:59Z\"", "\"soon\"", "null", "\"2026-03-05T00:00:00\""] {
            try await withHome { home in
                try put(
                    #"{"server":"SERVER","access_token":"login","expires_at":\#(expiry)}"#,
                    at: home + "/.config/tollgate/credentials.json")
                let (authorization, result) = try await sent(home: home)
                #expect(authorization == nil)
                #expect(result.errors.contains("the saved login has expired"))
                #expect(!result.errors.contains("\"login\""))
            }
        }
    }

    @Test func aLoginIsOnlyForItsServer() async throws {
        try await withHome { home in
            try put(
                #"{"server":"https://other.example","access_token":"login","expires_at":"2026-04-01T00:00:00Z"}"#,
                at: home + "/.config/tollgate/credentials.json")
            #expect(try await sent(["--api-url", "SERVER"], home: home).authorization == nil)
        }
    }

    @Test func aLoginNearItsEndIsRenewedOnceAndSaved() async throws {
        try await withHome { home in
            let file = home + "/.config/tollgate/credentials.json"
            try await LoopbackHTTPServer.with({ request in
                request.path == "/v1/auth/refresh"
                    ? .json(#"{"access_token":"new","refresh_token":"r2","expires_at":"2026-03-01T13:00:00Z"}"#)
                    : .json(#"{"items":[]}"#)
            }) { server in
                try put(
                    #"{"server":"\#(server.url)","access_token":"old","refresh_token":"r1","expires_at":"2026-03-01T12:00:30Z"}"#,
                    at: file)
                #expect(await run(["get"], home: home).status == 0)
                #expect(server.requests.map(\.path) == ["/v1/auth/refresh", "/v1/resources"])
                #expect(server.requests.first?.header("authorization") == nil)
                #expect(server.requests.last?.header("authorization") == "Bearer new")
                let saved = try JSONParser.parse(text: String(contentsOfFile: file, encoding: .utf8))
                #expect(saved["access_token"] == "new" && saved["refresh_token"] == "r2")
                #expect(try mode(of: file) == 0o600)
            }
        }
    }

    @Test func looseModesAreRepairedWithAWarning() async throws {
        try await withHome { home in
            let directory = home + "/.config/tollgate"
            try put("[default]\nservice_token = \"s3cret\"\n", at: directory + "/cli.toml", mode: 0o644)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory)
            let (authorization, result) = try await sent(["--api-url", "SERVER"], home: home)
            #expect(authorization == "Bearer s3cret")
            #expect(try mode(of: directory) == 0o700)
            #expect(try mode(of: directory + "/cli.toml") == 0o600)
            #expect(result.errors.contains("others could read \(directory)/cli.toml"))
            #expect(!result.errors.contains("s3cret"))
            let again = try await sent(["--api-url", "SERVER"], home: home)
            #expect(again.run.errors.isEmpty)
        }
    }

    @Test func theOlderToolsFilesAreReadAndNeverTouched() async throws {
        try await withHome { home in
            let orcheo = home + "/.config/orcheo/cli.toml"
            try put("[profiles.old]\nservice_token = \"legacy\"\n", at: orcheo, mode: 0o644)
            let (authorization, _) = try await sent(["--profile", "old", "--api-url", "SERVER"], home: home)
            #expect(authorization == "Bearer legacy")
            #expect(try mode(of: orcheo) == 0o644)
            #expect(!FileManager.default.fileExists(atPath: home + "/.config/tollgate"))
        }
    }

    @Test func theAdminTokenGoesToThisMachineOnly() throws {
        let loopback = ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"]
        #expect(loopback.allSatisfy { WebAddress($0)?.isLoopback == true })
        let others = ["http://10.0.0.1", "https://localhost.example.com", "http://127.0.0.1.example.com"]
        #expect(others.allSatisfy { WebAddress($0)?.isLoopback == false })
    }
}
