// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing
internal import ToolTrust

@testable internal import tollgate

@Suite struct ToolSettingsTests {
    private static let key = #"{"key_id":"a","public_key":"0Nq2aLLWTdHqM31N70n3oGmNfUoLfGAAcOIkG7xUrEE="}"#
    private static let other = #"{"key_id":"a","public_key":"qKJOtE12RBLe8N+b5TWFknyYTfXrQVmeJWIHOyD8AGA="}"#

    private func read(_ environment: [String: String]) -> (settings: ToolSettings, problems: [SettingsProblem]) {
        var reader = SettingsReader(SettingsSources(environment: environment))
        let settings = TollgateSettings.tools(
            &reader, dataDirectory: "/data", environment: environment,
            host: HostFacts(hostName: "h", workingDirectory: "/work-dir"))
        return (settings, reader.problems)
    }

    @Test func defaultsAreThoseOfTheTable() {
        let (settings, problems) = read([:])
        #expect(problems.isEmpty)
        #expect(settings.keys.isEmpty)
        #expect(settings.rules.maximum == .installation)
        #expect(settings.rules.allowedPaths == ToolRules.defaultAllowedPaths)
        #expect(settings.rules.writablePaths.isEmpty)
        #expect(settings.directory == "/data/tools")
    }

    @Test func readsWhatIsGiven() {
        let (settings, problems) = read([
            "TOLLGATE_TOOL_KEYS": "[\(Self.key)]", "TOLLGATE_TOOLS_MAX_MEMORY_MB": "100",
            "TOLLGATE_TOOLS_MAX_OUTPUT_BYTES": "1MiB", "TOLLGATE_TOOLS_ALLOWED_PATHS": "/usr:/data/in",
            "TOLLGATE_TOOLS_WRITABLE_PATHS": "/data/out", "TOLLGATE_TOOLS_DIR": "bin",
        ])
        #expect(problems.isEmpty)
        #expect(settings.keys.map(\.keyID) == ["a"])
        #expect(settings.rules.maximum.memoryMB == 100)
        #expect(settings.rules.maximum.outputBytes == 1_048_576)
        #expect(settings.rules.allowedPaths == ["/usr", "/data/in"])
        #expect(settings.rules.writablePaths == ["/data/out"])
        #expect(settings.directory == "/work-dir/bin")
    }

    @Test func tellsEveryProblem() {
        let (_, problems) = read([
            "TOLLGATE_TOOL_KEYS": "[\(Self.key),\(Self.other)]", "TOLLGATE_TOOLS_MAX_CPU_SECONDS": "0",
            "TOLLGATE_TOOLS_ALLOWED_PATHS": "usr",
        ])
        #expect(
            Set(problems.map(\.setting)) == [
                "TOLLGATE_TOOL_KEYS", "TOLLGATE_TOOLS_MAX_CPU_SECONDS", "TOLLGATE_TOOLS_ALLOWED_PATHS",
            ])
        #expect(read(["TOLLGATE_TOOL_KEYS": "{"]).problems.map(\.setting) == ["TOLLGATE_TOOL_KEYS"])
    }
}
