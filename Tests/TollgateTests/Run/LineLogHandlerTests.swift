// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import Logging
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct LineLogHandlerTests {
    private func lines(_ format: LogFormat, level: Logger.Level = .info, _ body: (Logger) -> Void) -> String {
        let output = CollectingOutput()
        body(
            Logger(label: "tollgate.test") { label in
                LineLogHandler(
                    label: label, level: level, format: format, redactor: Redactor(level: .secrets), output: output,
                    clock: ManualClock())
            })
        return output.text
    }

    @Test func textLinesHaveTimeLevelAndFields() {
        let text = lines(.text) { logger in
            logger.info("Started", metadata: ["host": "a b", "port": "8080"])
            logger.debug("Not shown")
        }
        #expect(text == "2026-03-01T12:00:00.000000Z INFO tollgate.test: Started host=\"a b\" port=8080\n")
    }

    @Test func jsonLinesAreOneObjectEach() throws {
        let text = lines(.json) { $0.error("Broken\nline", metadata: ["message": "x", "token": "abc"]) }
        let object = try JSONParser.parse(text: String(text.dropLast()))
        #expect(object["time"] == "2026-03-01T12:00:00.000000Z")
        #expect(object["level"] == "error")
        #expect(object["message"] == "Broken\nline")
        #expect(object["field_message"] == "x")
        #expect(object["token"] == "[REDACTED]")
    }

    @Test(arguments: [
        "Bearer abc.def", "tgs_abc_def", "key=tgk_live_123", "\"tgk_test_1\"", "sk_live_1", "ghp_1",
        "eyJhbGciOiJIUzI1NiJ9.e30.x", "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----", "https://user:pass@host/x",
    ])
    func whatLooksLikeASecretIsTakenOut(secret: String) {
        let text = lines(.text) { $0.info("before \(secret) after", metadata: ["x": "\(secret)"]) }
        #expect(!text.contains(secret))
        #expect(text.contains("[REDACTED]"))
    }
}
