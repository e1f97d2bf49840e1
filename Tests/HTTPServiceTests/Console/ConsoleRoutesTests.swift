// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Foundation
internal import HTTPTypes
internal import Pipeline
internal import TestSupport
internal import Testing

@testable import HTTPService

/// The console's files, the sign-in page, and who gets to see them.
@Suite struct ConsoleRoutesTests {
    private static let modules: [any OwnAPIModule] = [
        ConsoleRoutes(ConsoleSettings(dashboardURL: "https://grafana.example/d/1", version: "9.9"))
    ]
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    private static let browser = [("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]

    static let files: [(path: String, type: String)] = [
        ("/console/", "text/html; charset=utf-8"), ("/console/app.js", "text/javascript; charset=utf-8"),
        ("/console/style.css", "text/css; charset=utf-8"), ("/console/icon.svg", "image/svg+xml"),
    ]

    @Test(arguments: files.indices) func servesFiles(_ index: Int) async throws {
        let row = Self.files[index]
        let gate = Gate(modules: Self.modules)
        let reply = try await gate.send(.get, row.path)
        #expect(reply.status == 200)
        #expect(reply["Content-Type"] == row.type)
        #expect(reply["Content-Security-Policy"] == Self.policy)
        #expect(reply["Cache-Control"] == "no-cache")
        #expect(reply["X-Content-Type-Options"] == "nosniff")
        let tag = try #require(reply["ETag"])
        let again = try await gate.send(.get, row.path, [("If-None-Match", "\"x\", W/\(tag)")])
        #expect(again.status == 304)
        #expect(again.text.isEmpty)
        #expect(again["ETag"] == tag)
        let other = try await gate.send(.get, row.path, [("If-None-Match", "\"x\"")])
        #expect(other.status == 200)
    }

    @Test func theFolderNeedsItsSlash() async throws {
        let reply = try await Gate(modules: Self.modules).send(.get, "/console")
        #expect(reply.status == 302)
        #expect(reply["Location"] == "/console/")
    }

    @Test(arguments: ["nothing.js", "index.html", "sign-in.html", "sign-in.js", "..%2fapp.js", "app.js.map"])
    func servesNothingElse(_ name: String) async throws {
        let reply = try await Gate(modules: Self.modules).send(.get, "/console/\(name)")
        #expect(reply.status == 404)
        #expect(reply.code == "request.not_found")
    }

    @Test func tellsItsSettings() async throws {
        let reply = try await Gate(modules: Self.modules).send(.get, "/console/settings.json")
        #expect(reply.json == ["dashboard_url": "https://grafana.example/d/1", "version": "9.9"])
    }

    static let visitors: [(code: ErrorCode, path: String, accept: String?, status: Int)] = [
        (.authMissingToken, "/console/", "text/html,*/*;q=0.8", 302),
        (.authMissingToken, "/console", "text/html", 302),
        (.authSessionExpired, "/console/", "text/html", 302),
        (.authMissingToken, "/console/", "application/json", 401),
        (.authMissingToken, "/console/", "*/*", 401),
        (.authMissingToken, "/console/", nil, 401),
        (.authMissingToken, "/console/", "application/json, text/html;q=0.5", 401),
        (.authMissingToken, "/consoles", "text/html", 401),
        (.authMissingToken, "/v1/auth/session", "text/html", 401),
        (.authInvalidToken, "/console/", "text/html", 401),
        (.policyPermissionDenied, "/console/", "text/html", 403),
    ]

    @Test(arguments: visitors.indices) func sendsBrowsersToSignIn(_ index: Int) async throws {
        let row = Self.visitors[index]
        let decider = FakeDecider(admit: { request in
            .refused(
                Refusal(row.code), principal: .anonymous, action: "monitor.read", route: nil,
                canonicalPath: request.target)
        })
        let gate = Gate(decider: decider, modules: Self.modules)
        let reply = try await gate.send(.get, row.path, row.accept.map { [("Accept", $0)] } ?? [])
        #expect(reply.status == row.status)
        if row.status == 302 {
            #expect(reply["Location"] == "/v1/auth/browser/login?return_to=/console/")
            #expect(reply["Cache-Control"] == "no-store")
        } else {
            #expect(reply.code == row.code.rawValue)
        }
        #expect(gate.audit.queued.count == 1, "sent away or refused, it is recorded")
        #expect(try await gate.send(.post, row.path, Self.browser).status != 302)
    }

    @Test func showsTheSignInPage() async throws {
        let gate = Gate(modules: Self.modules)
        let reply = try await gate.send(.get, "/v1/auth/browser/login?return_to=/console/%23audit", Self.browser)
        #expect(reply.status == 200)
        #expect(reply["Content-Security-Policy"] == Self.policy)
        #expect(reply["Cache-Control"] == "no-store")
        #expect(reply.text.contains(#"data-return-to="/console/#audit""#))
        let input = try #require(reply.text.range(of: "<input id=\"token\"")?.lowerBound)
        #expect(!reply.text[input...].prefix(while: { $0 != ">" }).contains("name="), "no form can send it")
        for name in ["style.css", "theme.js", "sign-in.js", "icon.svg"] {
            let file = try await gate.send(.get, "/v1/auth/browser/login?file=\(name)")
            #expect(file.status == 200 && file["Cache-Control"] == "no-store")
        }
        for name in ["app.js", "index.html", "sign-in.html", "", "../x"] {
            #expect(try await gate.send(.get, "/v1/auth/browser/login?file=\(name)").status == 404)
        }
    }

    @Test func hasNoLoginOfAProvider() async throws {
        let reply = try await Gate(modules: Self.modules).send(.get, "/v1/auth/browser/callback?code=a&state=b")
        #expect(reply.status == 404 && reply.code == "auth.login_disabled")
        #expect(reply.message == "No identity provider is set up for signing in")
    }

    @Test func whatIsEmbeddedIsWhatIsInTheFolder() throws {
        let folder = Repository.root.appending(path: "console")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(ConsoleFiles.all.map(\.name).sorted() == names, "run Scripts/embed-console.sh")
        for (name, text) in ConsoleFiles.all {
            let file = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            #expect(file == text + "\n", "run Scripts/embed-console.sh: \(name)")
            #expect(ConsoleFile.type(of: name) != nil, "\(name)")
        }
    }

    /// What the policy would forbid, or would ask somebody else, is not in the files.
    @Test func filesKeepThePolicy() {
        for (name, text) in ConsoleFiles.all {
            #expect(
                !text.contains("innerHTML") && !text.contains("eval(") && !text.contains("document.write"), "\(name)")
            let foreign = text.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!foreign.contains("http://") && !foreign.contains("https://"), "\(name) names another host")
            guard name.hasSuffix(".html") else { continue }
            for forbidden in ["<style", " style=", " onclick=", "javascript:", "<script>"] {
                #expect(!text.contains(forbidden), "\(name): \(forbidden)")
            }
        }
    }
}
