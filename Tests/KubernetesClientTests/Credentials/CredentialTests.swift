// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite(.timeLimit(.minutes(10))) struct CredentialTests {
    private let folder: TemporaryDirectory
    private var stand = Stand()

    init() throws { folder = try TemporaryDirectory() }

    /// A server that takes only the token of a file, and what each call was answered.
    private func calls(
        _ credential: ClusterCredential, accepted: String, _ body: (HTTPKubernetesAPI) async throws -> Void
    ) async throws -> [String?] {
        try await LoopbackHTTPServer.with({ request in
            request.header("authorization") == "Bearer \(accepted)" ? .json("{}") : .json("{}", status: 401)
        }) { server in
            try await stand.with(ClusterConnection(server: server.url, credential: credential), body)
            return server.requests.map { $0.header("authorization") }
        }
    }

    private func get(_ api: HTTPKubernetesAPI) async -> KubernetesError.Code? {
        await Stand.failure { () throws(KubernetesError) in try await api.get(Stand.secret, subresource: nil) }?.code
    }

    @Test func readsATokenFileAgainEveryMinute() async throws {
        let file = try folder.write(" one\n", to: "token")
        let tokens = try await calls(.tokenFile(file), accepted: "two") { api in
            #expect(await get(api) == .unauthorized)
            try folder.write("two", to: "token")
            #expect(await get(api) == nil)
        }
        #expect(tokens == ["Bearer one", "Bearer one", "Bearer one", "Bearer two"])
        try folder.write("one", to: "token")
        let aged = try await calls(.tokenFile(file), accepted: "one") { api in
            #expect(await get(api) == nil)
            try folder.write("two", to: "token")
            stand.time.advance(.seconds(59))
            #expect(await get(api) == nil)
            stand.time.advance(.seconds(1))
            #expect(await get(api) == .unauthorized)
        }
        #expect(aged == ["Bearer one", "Bearer one", "Bearer two", "Bearer two"])
    }

    @Test func keepsTheLastTokenWhenTheFileIsGone() async throws {
        let file = try folder.write("one", to: "token")
        _ = try await calls(.tokenFile(file), accepted: "one") { api in
            #expect(await get(api) == nil)
            for text in ["", "two lines\nof text"] {
                try folder.write(text, to: "token")
                stand.time.advance(.seconds(60))
                #expect(await get(api) == nil)
            }
            try DurableFile.remove(file)
            stand.time.advance(.seconds(60))
            #expect(await get(api) == nil)
        }
        let none = try await calls(.tokenFile(folder.path("none")), accepted: "") { api in
            #expect(await get(api) == .unauthorized)
        }
        #expect(none.isEmpty)
    }

    @Test func asksOnceWithATokenThatCannotChange() async throws {
        let tokens = try await calls(.token(Redacted("old")), accepted: "new") { api in
            #expect(await get(api) == .unauthorized)
        }
        #expect(tokens == ["Bearer old"])
    }

    /// A program that prints the token of a file and notes that it ran.
    private func plugin(_ script: String) throws -> ExecPlugin {
        let file = try folder.write(script, to: "plugin.sh")
        return ExecPlugin(
            version: .v1, command: "sh", arguments: [file], environment: [.init(name: "FOLDER", value: folder.path)])
    }

    private static let printer = """
        echo run >> "$FOLDER/runs"
        printf '%s' "$KUBERNETES_EXEC_INFO" > "$FOLDER/info"
        printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":%s}' "$(cat "$FOLDER/status")"
        """

    private func runs() throws -> Int {
        (try DurableFile.read(folder.path("runs")) ?? []).count { $0 == 0x0A }
    }

    /// Sleeps really, so that the limit of a run is none here.
    private func withoutHaste() -> CredentialTests {
        var other = self
        other.stand.time = ManualTime()
        return other
    }

    @Test func runsAPluginWhenItsCredentialEndsOrIsRefused() async throws {
        let test = withoutHaste()
        let expires = test.stand.clock.now().adding(seconds: 100).rfc3339
        try folder.write(#"{"token":"one","expirationTimestamp":"\#(expires)"}"#, to: "status")
        let plugin = try plugin(Self.printer)
        let tokens = try await test.calls(.exec(plugin), accepted: "one") { api in
            #expect(await test.get(api) == nil)
            #expect(await test.get(api) == nil)
            #expect(try runs() == 1)
            test.stand.clock.advance(seconds: 100)
            #expect(await test.get(api) == nil)
            #expect(try runs() == 2)
            try folder.write(#"{"token":"two"}"#, to: "status")
            test.stand.clock.advance(seconds: 1)
            #expect(await test.get(api) == .unauthorized)
            #expect(try runs() == 4)
            try folder.write(#"{"token":"one"}"#, to: "status")
            #expect(await test.get(api) == nil)
            #expect(await test.get(api) == nil)
            #expect(try runs() == 5)
        }
        #expect(tokens.last == "Bearer one")
        let info = try JSONParser.parse(try DurableFile.read(folder.path("info")) ?? [])
        #expect(info["kind"] == "ExecCredential")
        #expect(info["spec"] == ["interactive": false])
    }

    @Test(arguments: [
        ("exit 3", ExecPluginError.Code.failed), ("echo nothing", .malformedAnswer),
        ("head -c 300000 /dev/zero", .notStarted),
        (#"echo '{"apiVersion":"v1","kind":"ExecCredential","status":{"token":"a"}}'"#, .malformedAnswer),
        (
            #"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}'"#,
            .malformedAnswer
        ),
        (
            #"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientKeyData":"a"}}'"#,
            .malformedAnswer
        ),
    ])
    func saysWhatIsWrongWithAPlugin(_ script: String, _ code: ExecPluginError.Code) async throws {
        let plugin = try plugin(script)
        do {
            _ = try await ExecPluginRunner(time: ManualTime()).run(plugin)
            Issue.record("\(script) gave a credential")
        } catch { #expect(error.code == code, "\(error.message)") }
    }

    @Test func endsAPluginThatTakesTooLong() async throws {
        let time = ManualTime()
        let plugin = try plugin("echo $$ > \"$FOLDER/pid\"; exec tail -f /dev/null")
        try await withThrowingTaskGroup(of: ExecPluginError.Code?.self) { group in
            group.addTask {
                do throws(ExecPluginError) {
                    _ = try await ExecPluginRunner(time: time).run(plugin)
                    return nil
                } catch { return error.code }
            }
            try await Eventually.holds("the plugin") {
                let pid = try DurableFile.read(folder.path("pid")) ?? []
                return time.sleepers == 1 && pid.last == 0x0A
            }
            time.advance(.seconds(60))
            for try await code in group { #expect(code == .timedOut) }
        }
        let pid = ASCII.trimmed(String(decoding: try DurableFile.read(folder.path("pid")) ?? [], as: UTF8.self))
        try await Eventually.holds("the end of the plugin") { !DurableFile.exists("/proc/\(pid)") }
    }

    @Test func tellsAPluginAboutTheClusterWhenItAsks() {
        var connection = ClusterConnection(server: "https://a", tlsServerName: "b")
        connection.certificateAuthority = .bytes(Redacted(Array("PEM!".utf8)))
        let cluster = ExecClusterInfo.document(of: connection)
        #expect(
            cluster == [
                "server": "https://a", "tls-server-name": "b", "certificate-authority-data": "UEVNIQ==",
            ])
        var plugin = ExecPlugin(version: .v1beta1, command: "a")
        #expect(!ExecCredentialDocument.info(for: plugin, cluster: cluster).contains("cluster"))
        plugin.providesClusterInfo = true
        #expect(ExecCredentialDocument.info(for: plugin, cluster: cluster).contains("UEVNIQ=="))
    }
}
