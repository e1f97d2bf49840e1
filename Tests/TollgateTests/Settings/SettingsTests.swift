// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct SettingsTests {
    private static let host = HostFacts(hostName: "Box_1", workingDirectory: "/srv")

    private func load(
        _ environment: [String: String] = [:], flags: [String: String] = [:], file: [String: String] = [:],
        files: [String: String] = [:]
    ) throws -> TollgateSettings {
        let sources = SettingsSources(
            flags: flags, environment: ["HOME": "/home/me"].merging(environment) { $1 }, file: file,
            readFile: { path in
                guard let text = files[path] else { throw FileFault(description: "No such file or directory") }
                return Array(text.utf8)
            })
        return try TollgateSettings.load(sources, host: Self.host)
    }

    private func problems(
        _ environment: [String: String], flags: [String: String] = [:], file: [String: String] = [:],
        files: [String: String] = [:]
    ) -> [SettingsProblem] {
        do {
            _ = try load(environment, flags: flags, file: file, files: files)
            return []
        } catch let error as SettingsError {
            return error.problems
        } catch {
            Issue.record("\(error)")
            return []
        }
    }

    @Test func everySettingOfTheTableIsReadOnce() {
        var reader = SettingsReader(SettingsSources(environment: ["HOME": "/home/me"]))
        _ = TollgateSettings.read(&reader, environment: ["HOME": "/home/me"], host: Self.host)
        #expect(reader.namesRead.sorted() == SettingsCatalog.all.map(\.name).sorted())
        let names = (SettingsCatalog.all + SettingsCatalog.client).flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
    }

    /// Who asks for an archive counts on segments that are kept until they are in it.
    @Test(arguments: ["true", "TRUE", " 1", "yes"]) func startsNotWithoutTheArchiveThatIsAskedFor(_ text: String) {
        let found = problems(["TOLLGATE_AUDIT_ARCHIVE": text])
        #expect(found.map(\.setting) == ["TOLLGATE_AUDIT_ARCHIVE"])
        #expect(
            found.first?.message
                == "there is no archive: unset it, keep segments with tollgate audit backup, and set "
                + "TOLLGATE_AUDIT_RETENTION to how long they stay")
    }

    @Test(arguments: ["", "false", "False"]) func startsWhereNoArchiveIsAskedFor(_ text: String) throws {
        _ = try load(["TOLLGATE_AUDIT_ARCHIVE": text])
    }

    @Test func defaultsAreThoseOfTheTable() throws {
        let settings = try load()
        #expect(settings.listeners.api.description == "0.0.0.0:8080")
        #expect(settings.listeners.probes.description == "0.0.0.0:8081")
        #expect(settings.listeners.decisions == nil)
        #expect(settings.listeners.trustedProxies.isEmpty)
        #expect(settings.decisions.timeout == .milliseconds(150))
        #expect(settings.decisions.maxInFlight == 2000)
        #expect(settings.decisions.batchMax == 100)
        #expect(settings.dataDirectory == "/home/me/.local/state/tollgate")
        #expect(settings.audit.trail.directory == "/home/me/.local/state/tollgate/audit")
        #expect(settings.audit.trail.writer == "box-1")
        #expect(settings.audit.trail.segmentBytes == 128 << 20)
        #expect(settings.audit.trail.flushInterval == .milliseconds(5))
        #expect(!settings.audit.trail.failsOpen)
        #expect(settings.policy.defaultUserRole == "editor")
        #expect(settings.policy.defaultKeycloakTenantRole == "editor")
        #expect(settings.policy.platformNamespaces.isEmpty)
        #expect(settings.apiKeyPrefix == "tgk")
        #expect(settings.maxSnapshotAge == nil)
        #expect(settings.logging.format == .text)
        #expect(settings.authentication["TOLLGATE_AUTH_MODE"] == "optional")
        #expect(settings.authentication["TOLLGATE_AUTH_TOKEN"] == nil)
        #expect(settings.notes.isEmpty)
    }

    @Test(arguments: [
        (
            "TOLLGATE_LISTEN", ["127.0.0.1:80", "[::1]:8080", "localhost:1", ":9000"],
            ["8080", "host:80", "1.2.3.4:70000", "::1:80"]
        ),
        (
            "TOLLGATE_TRUSTED_PROXIES", ["10.0.0.0/8, fd00::/8", "[\"10.0.0.1\"]"],
            ["10.0.0.0/33", "proxy.example", "[1]"]
        ),
        ("TOLLGATE_DECISION_TIMEOUT", ["1ms", "2s"], ["150", "0", "61s", "-1s", "1.5s"]),
        ("TOLLGATE_DECISION_MAX_IN_FLIGHT", ["1", "1000000"], ["0", "-1", "1e3", "ten"]),
        ("TOLLGATE_AUDIT_FAIL_OPEN", ["TRUE", "0", " on "], ["2", "maybe"]),
        ("TOLLGATE_AUDIT_SEGMENT_BYTES", ["65536", "1MiB", "1 gib"], ["1", "1MB", "99999999GiB", "-1"]),
        ("TOLLGATE_AUDIT_DECISIONS", ["Full", "refusals"], ["none"]),
        ("TOLLGATE_AUDIT_INDEX", ["memory", "postgres"], ["redis"]),
        ("TOLLGATE_AUDIT_MEMORY", ["128"], ["127"]),
        ("TOLLGATE_EVENTS_RING", ["128", "65536"], ["127", "65537"]),
        ("TOLLGATE_REDACT", ["pii, secrets", "off"], ["pii", "all"]),
        ("TOLLGATE_API_KEY_PREFIX", ["ab", "key2"], ["tgs", "1ab", "a", "Abc"]),
        ("TOLLGATE_API_KEY_OLD_PREFIXES", ["old1,old2"], ["old1,tgs"]),
        ("TOLLGATE_EGRESS_ALLOW", ["keys.example.com 10.0.0.0/8"], ["http://keys.example.com"]),
        ("TOLLGATE_HOST_POLICY", ["a=*.example.com,a=x.org,b=*"], ["a", "a=", "A=b.example", "a=*.*.x"]),
        ("TOLLGATE_NAMESPACE_TENANTS", ["a=acme,b=Acme 2x=y"], ["a=x,a=y", "=x"]),
        ("TOLLGATE_PLATFORM_NAMESPACES", ["default,ops"], ["Ops", "a.b"]),
        ("TOLLGATE_API_AUTH_CONFIG", ["ops/main"], ["main", "a/b/c", "/x"]),
        (
            "TOLLGATE_CORS_ALLOW_ORIGINS", ["*", "https://a.example:8443,http://localhost"],
            ["a.example", "https://a.example/x"]
        ),
        (
            "TOLLGATE_PUBLIC_URL", ["https://t.example/base/"],
            ["t.example", "ftp://t.example", "https://u:p@t.example"]
        ),
        ("TOLLGATE_WRITER", ["pod-1.x"], ["Pod", "a/b", ".."]),
        ("TOLLGATE_POLICY_CONFIGMAP", ["rules", "ops/rules.v1"], ["Rules", "a/b/c", "/x", "ops/", "a.b/x"]),
        ("DEFAULT_USER_ROLE", ["viewer"], ["a", "Viewer", "-x"]),
        ("LOG_LEVEL", ["DEBUG", "warn"], ["loud"]),
        ("TOLLGATE_LOG_FORMAT", ["JSON"], ["xml"]),
        ("TOLLGATE_RECONCILE_INTERVAL", ["5s", "1h"], ["4s", "2h"]),
        ("TOLLGATE_MAX_SNAPSHOT_AGE", ["0", "0s", "5m"], ["300"]),
    ])
    func acceptsAndRefuses(name: String, good: [String], bad: [String]) {
        for text in good { #expect(problems([name: text]) == [], "\(name)=\(text)") }
        for text in bad { #expect(problems([name: text]).map(\.setting) == [name], "\(name)=\(text)") }
    }

    @Test func everyProblemIsListedAtOnceInTheOrderOfTheTable() {
        let found = problems(
            [
                "TOLLGATE_GRACE": "soon", "TOLLGATE_LISTEN": "x", "TOLLGATE_AUDIT_HMAC_KEY": "short",
                "LOG_LEVEL": "loud",
            ],
            file: ["TOLLGATE_NOPE": "1"])
        #expect(
            found.map(\.setting)
                == ["TOLLGATE_LISTEN", "TOLLGATE_AUDIT_HMAC_KEY", "LOG_LEVEL", "TOLLGATE_GRACE", "TOLLGATE_NOPE"])
        #expect(found[3].message.contains("\"soon\" (environment TOLLGATE_GRACE)"))
        #expect(found[3].message.contains("expected a duration with its unit"))
    }

    @Test func aSecretIsNeverShown() {
        let found = problems(
            [
                "TOLLGATE_AUDIT_HMAC_KEY": "hunter2", "TOLLGATE_GRACE_FILE": "/secret",
                "TOLLGATE_PUBLIC_URL": "https://u:hunter2@h",
            ],
            files: ["/secret": "hunter2"])
        #expect(found.count == 3)
        #expect(!found.map(\.description).joined().contains("hunter2"))
        #expect(found.contains { $0.message.contains("a text of 7 bytes") })
    }

    @Test func aDumpOfTheSettingsHoldsNoSecret() throws {
        let settings = try load([
            "TOLLGATE_AUTH_TOKEN": "hunter2hunter2", "TOLLGATE_AUDIT_HMAC_KEY": String(repeating: "hunter2", count: 5),
        ])
        var dump = ""
        Swift.dump(settings, to: &dump)
        #expect(!dump.contains("hunter2"))
        #expect(!"\(settings)".contains("hunter2"))
        #expect(settings.authentication["TOLLGATE_AUTH_TOKEN"] == "hunter2hunter2")
    }

    @Test func flagBeatsEnvironmentBeatsFile() throws {
        let name = "TOLLGATE_GRACE"
        #expect(try load([name: "2s"], flags: [name: "1s"], file: [name: "3s"]).grace == .seconds(1))
        #expect(try load([name: "2s"], file: [name: "3s"]).grace == .seconds(2))
        #expect(try load(file: [name: "3s"]).grace == .seconds(3))
        #expect(try load([name: "  "], file: [name: "3s"]).grace == .seconds(3))
        #expect(try load([name: ""]).grace == .seconds(25))
    }

    /// A secret that is long enough.
    private static let long = String(repeating: "s3cret-", count: 6)

    @Test func aNameBeatsItsAliasAndBothAreNamedWhenTheyDiffer() throws {
        let settings = try load(["ORCHEO_AUTH_MODE": "required", "TOLLGATE_AUTH_MODE": "disabled"])
        #expect(settings.authentication["TOLLGATE_AUTH_MODE"] == "disabled")
        let note = try #require(settings.notes.first { $0.kind == .aliasDiffers })
        #expect(note.message.contains("ORCHEO_AUTH_MODE") && note.message.contains("TOLLGATE_AUTH_MODE"))
        #expect(settings.notes.contains { $0.kind == .unsafe && $0.setting == "TOLLGATE_AUTH_MODE" })
        let same = try load(["ORCHEO_AUTH_MODE": "required", "TOLLGATE_AUTH_MODE": "required"])
        #expect(same.notes.isEmpty)
        #expect(try load(["CODETETHER_AUTH_TOKEN": Self.long]).authentication["TOLLGATE_AUTH_TOKEN"] == Self.long)
        #expect(
            try load(["ORCHEO_AUTH_JWT_SECRET": Self.long]).authentication["TOLLGATE_AUTH_JWT_SECRET"] == Self.long)
        let keys = #"[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]"#
        #expect(try load(["TOLLGATE_AUTH_JWKS_STATIC": keys]).authentication["TOLLGATE_AUTH_JWKS"] == keys)
    }

    @Test func aFileNameInTheAliasOfTheAuditPathMeansItsDirectory() throws {
        #expect(try load(["AUTOHEAL_AUDIT_PATH": "/var/log/heal/audit.jsonl"]).audit.trail.directory == "/var/log/heal")
        #expect(try load(["AUTOHEAL_AUDIT_PATH": "/var/log/heal"]).audit.trail.directory == "/var/log/heal")
        #expect(try load(["TOLLGATE_AUDIT_PATH": "/var/x.jsonl/"]).audit.trail.directory == "/var/x.jsonl")
        #expect(try load(["TOLLGATE_AUDIT_PATH": "~/audit"]).audit.trail.directory == "/home/me/audit")
        #expect(try load(["TOLLGATE_AUDIT_PATH": "audit"]).audit.trail.directory == "/srv/audit")
    }

    @Test func everySettingCanComeFromAFile() throws {
        for info in SettingsCatalog.all {
            let pointer = info.name + "_FILE"
            #expect(
                problems([pointer: "/nowhere"]).contains {
                    $0.setting == pointer && $0.message.contains("No such file")
                },
                "\(pointer)")
        }
        let settings = try load(
            ["TOLLGATE_AUTH_TOKEN_FILE": "/run/token", "ORCHEO_AUTH_JWT_SECRET_FILE": "~/jwt"],
            files: ["/run/token": "\(Self.long) \n", "/home/me/jwt": "\(Self.long)\r\n"])
        #expect(settings.authentication["TOLLGATE_AUTH_TOKEN"] == "\(Self.long) ")
        #expect(settings.authentication["TOLLGATE_AUTH_JWT_SECRET"] == Self.long)
        #expect(
            problems(["TOLLGATE_GRACE": "1s", "TOLLGATE_GRACE_FILE": "/g"], files: ["/g": "2s"]).map(\.setting)
                == ["TOLLGATE_GRACE"])
    }

    @Test func bothFilesOfTLSOrNeither() throws {
        #expect(problems(["TOLLGATE_TLS_CERT_FILE": "/c"]).map(\.setting) == ["TOLLGATE_TLS_KEY_FILE"])
        #expect(problems(["TOLLGATE_TLS_KEY_FILE": "/k"]).map(\.setting) == ["TOLLGATE_TLS_CERT_FILE"])
        let both = try load(["TOLLGATE_TLS_CERT_FILE": "/c", "TOLLGATE_TLS_KEY_FILE": "/k"])
        #expect(both.listeners.tls == TLSFiles(certificate: "/c", privateKey: "/k"))
    }

    @Test func aSidecarHasItsAuthConfigsAndNoDatabase() throws {
        let sidecar = ["TOLLGATE_UPSTREAM": "https://up.example", "TOLLGATE_SIDECAR_AUTH_CONFIG": "acme/shop"]
        #expect(try load(sidecar).sidecar?.authConfigs == ["acme/shop"])
        #expect(try load(sidecar).listeners.api.description == "127.0.0.1:8080")
        #expect(
            problems(["TOLLGATE_UPSTREAM": "https://up.example"]).map(\.setting) == ["TOLLGATE_SIDECAR_AUTH_CONFIG"])
        let both = sidecar.merging(["TOLLGATE_DATABASE_URL": "postgresql://tollgate@db/tollgate"]) { $1 }
        #expect(problems(both).map(\.setting) == ["TOLLGATE_DATABASE_URL"])
    }

    @Test func aMisspeltNameIsNamedInTheStartUpLog() throws {
        let settings = try load([
            "TOLLGATE_AUTH_MOED": "required", "TOLLGATE_TOKEN": "x", "TOLLGATE_SERVICE_HOST": "10.0.0.1",
            "TOLLGATE_PORT_8080_TCP": "tcp://10.0.0.1:8080", "TOLLGATE_GRACE_FILE": "",
        ])
        #expect(settings.notes.map(\.setting) == ["TOLLGATE_AUTH_MOED"])
    }

    @Test func inAClusterTheDefaultsDiffer() throws {
        let settings = try load(["KUBERNETES_SERVICE_HOST": "10.96.0.1"])
        #expect(settings.logging.format == .json)
        #expect(settings.dataDirectory == "/var/lib/tollgate")
        #expect(try load(["XDG_STATE_HOME": "/state"]).dataDirectory == "/state/tollgate")
        #expect(try load(["HOME": "", "TOLLGATE_DATA_DIR": "/d/"]).dataDirectory == "/d")
        #expect(problems(["HOME": ""]).map(\.setting).contains("TOLLGATE_DATA_DIR"))
    }

    /// Two processes of one machine with one name would take each other's numbers in an index that they share.
    @Test func thePodNamesTheWriterOfTheTrail() throws {
        let pod = try load(["POD_NAME": "tollgate-7d9f-x2"])
        #expect(pod.audit.trail.writer == "tollgate-7d9f-x2" && pod.cluster.podName == "tollgate-7d9f-x2")
        #expect(pod.notes.isEmpty)
        let both = try load(["POD_NAME": "tollgate-7d9f-x2", "TOLLGATE_WRITER": "shared"])
        #expect(both.audit.trail.writer == "tollgate-7d9f-x2")
        #expect(both.notes.map { "\($0.kind.rawValue) \($0.setting)" } == ["overruled TOLLGATE_WRITER"])
        #expect(try load(["POD_NAME": "same", "TOLLGATE_WRITER": "same"]).notes.isEmpty)
        #expect(try load(["TOLLGATE_WRITER": "own"]).audit.trail.writer == "own")
        let names = try ["a", "b"].map { last in
            try load(["POD_NAME": String(repeating: "tollgate.", count: 20) + last]).audit.trail.writer
        }
        #expect(Set(names).count == 2 && names.allSatisfy(NameRules.isWriter))
        #expect(problems(["POD_NAME": "No Pod"]).map(\.setting) == ["POD_NAME"])
    }

    @Test func aSettingsFileHoldsTextsNumbersFlagsAndLists() throws {
        let parsed = SettingsFile.parse(
            """
            TOLLGATE_GRACE = "7s"
            TOLLGATE_DECISION_BATCH_MAX = 5
            TOLLGATE_AUDIT_FAIL_OPEN = true
            TOLLGATE_TRUSTED_PROXIES = ["10.0.0.0/8", "::1"]
            """)
        #expect(parsed.problems.isEmpty)
        let settings = try load(file: parsed.values)
        #expect(settings.grace == .seconds(7))
        #expect(settings.decisions.batchMax == 5)
        #expect(settings.audit.trail.failsOpen)
        #expect(settings.listeners.trustedProxies.map(\.description) == ["10.0.0.0/8", "::1"])
        #expect(SettingsFile.parse("[a]\nb = 1").problems.map(\.setting) == ["a"])
        let broken = SettingsFile.parse("TOLLGATE_AUTH_TOKEN = \"hunter2")
        #expect(broken.problems.count == 1)
        #expect(!broken.problems.map(\.description).joined().contains("hunter2"))
    }

    @Test func theReferencePageIsThatOfTheCode() throws {
        let page = try String(
            contentsOf: Repository.root.appending(path: "docs/reference/settings.md"), encoding: .utf8)
        #expect(page == SettingsTable.markdown, "make it anew with: tollgate settings --markdown")
    }
}
