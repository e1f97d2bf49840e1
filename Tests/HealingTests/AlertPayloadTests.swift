// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

@Suite struct AlertPayloadTests {
    private static let sound = """
        {"version":"4","groupKey":"g","truncatedAlerts":2,"status":"firing","receiver":"tollgate","groupLabels":{},
        "commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","unknown":[1],"alerts":[
        {"status":"firing","labels":{"alertname":"A","x":"y"},"annotations":{"autoheal":"TRUE","summary":"s"},
        "startsAt":"2026-02-13T11:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"f1"},
        {"status":"resolved","labels":{"alertname":"A","autoheal":" true"}}]}
        """

    @Test func readsWhatAlertmanagerSends() throws {
        let payload = try AlertPayload.read(Array(Self.sound.utf8))
        #expect(payload.receiver == "tollgate")
        #expect(payload.groupKey == "g")
        #expect(payload.truncated == 2)
        #expect(
            payload.alerts == [
                Alert(
                    status: "firing", labels: ["alertname": "A", "x": "y"], isOptedIn: true,
                    startsAt: "2026-02-13T11:00:00Z", fingerprint: "f1"),
                Alert(
                    status: "resolved", labels: ["alertname": "A", "autoheal": " true"], isOptedIn: false,
                    startsAt: ""),
            ])
    }

    /// `printf 'a=1\nalertname=A\n' | sha256sum`
    @Test func namesAlertsWithoutAFingerprintByTheirLabels() {
        #expect(Alert.fingerprint(of: ["alertname": "A", "a": "1"]) == "c68a6e04e6eca832")
    }

    @Test(arguments: [
        ("[]", "body is not an object"),
        (#"{"status":"firing","alerts":[]}"#, "version is missing or not a text"),
        (#"{"version":"3","status":"firing","alerts":[]}"#, "version is not 4: only that version is understood"),
        (#"{"version":4,"status":"firing","alerts":[]}"#, "version is missing or not a text"),
        (#"{"version":"4","alerts":[]}"#, "status is missing or not a text"),
        (#"{"version":"4","status":"firing"}"#, "alerts is missing or not a list"),
        (#"{"version":"4","status":"firing","alerts":[1]}"#, "alerts[0] is not an object"),
        (
            #"{"version":"4","status":"firing","alerts":[{"labels":{"alertname":"A"}}]}"#,
            "alerts[0].status is missing or not a short text"
        ),
        (
            #"{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{}}]}"#,
            "alerts[0].labels.alertname is missing or not of 1 to 256 bytes"
        ),
        (
            #"{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A","b":1}}]}"#,
            "alerts[0].labels.b is not a text of at most 4096 bytes"
        ),
    ])
    func refusesWhatItIsNot(_ text: String, _ message: String) {
        #expect {
            try AlertPayload.read(Array(text.utf8))
        } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            if refusal.message != message { Issue.record("\(refusal.message)") }
            return refusal.code == .healingBadPayload && refusal.status == 400
        }
    }

    @Test func boundsTheNumberOfAlerts() {
        let alert = #"{"status":"firing","labels":{"alertname":"A"}}"#
        func text(_ count: Int) -> [UInt8] {
            let list = Array(repeating: alert, count: count).joined(separator: ",")
            return Array(#"{"version":"4","status":"firing","alerts":[\#(list)]}"#.utf8)
        }
        #expect(throws: Never.self) { try AlertPayload.read(text(1000)) }
        #expect(throws: Refusal.self) { try AlertPayload.read(text(1001)) }
    }

    /// Whatever comes, it is read or refused with the one code.
    @Test func survivesAnything() {
        let random = SeededRandom(seed: 62)
        let sound = Array(Self.sound.utf8)
        for _ in 0..<FuzzCases.count(2000) {
            var text = sound
            for _ in 0...random.below(4) {
                switch random.below(3) {
                case 0: text[random.below(text.count)] = UInt8(random.below(256))
                case 1: text.remove(at: random.below(text.count))
                default: text.insert(UInt8(random.below(128)), at: random.below(text.count))
                }
            }
            do throws(Refusal) {
                let payload = try AlertPayload.read(text)
                #expect(payload.alerts.allSatisfy { !$0.name.isEmpty && !$0.fingerprint.isEmpty })
            } catch {
                #expect(error.code == .healingBadPayload)
            }
        }
    }
}
