// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

/// What an engine may answer, and that nothing else is taken for an answer.
@Suite struct EngineAnswerReaderTests {
    typealias Fault = EngineAnswerReader.Fault

    private static func read(_ text: String) -> Result<EngineAnswer, Fault> {
        EngineAnswerReader.read(Array(text.utf8))
    }

    @Test(arguments: [
        (#"{"result": true}"#, EngineAnswer.roleCheck(true)),
        (#"{"result": false, "decision_id": "4a"}"#, .roleCheck(false)),
        (
            #"{"result": {"allow": true, "reasons": [], "effective_roles": ["editor"]}}"#,
            .decision(allow: true, reasons: [], effectiveRoles: ["editor"])
        ),
        (
            #"{"result": {"allow": false, "reasons": ["a", "b"], "effective_roles": [], "failures": [[1, "a"]]}}"#,
            .decision(allow: false, reasons: ["a", "b"], effectiveRoles: [])
        ),
    ]) func readsDecisionsAndBooleans(text: String, answer: EngineAnswer) {
        #expect(Self.read(text) == .success(answer))
    }

    @Test(arguments: [
        ("", Fault.noJSON), ("true", .noJSON), ("[true]", .noJSON), ("{", .noJSON), (#"{"result": true} x"#, .noJSON),
        (#"{"result": true, "result": true}"#, .noJSON), ("{}", .undefined), (#"{"Result": true}"#, .undefined),
        (#"{"result": null}"#, .badResult), (#"{"result": 1}"#, .badResult), (#"{"result": "true"}"#, .badResult),
        (#"{"result": {}}"#, .badResult), (#"{"result": []}"#, .badResult),
        (#"{"result": {"allow": true}}"#, .badResult),
        (#"{"result": {"allow": "true", "reasons": [], "effective_roles": []}}"#, .badResult),
        (#"{"result": {"allow": true, "reasons": {}, "effective_roles": []}}"#, .badResult),
        (#"{"result": {"allow": true, "reasons": [], "effective_roles": null}}"#, .badResult),
        (#"{"result": {"allow": true, "reasons": [1], "effective_roles": []}}"#, .badResult),
        (#"{"result": {"allow": true, "reasons": [], "effective_roles": [true]}}"#, .badResult),
        (#"{"result": {"allow": true, "reasons": ["no"], "effective_roles": []}}"#, .contradiction),
        (#"{"result": {"allow": false, "reasons": [], "effective_roles": []}}"#, .contradiction),
    ]) func refusesEverythingElse(text: String, fault: Fault) {
        #expect(Self.read(text) == .failure(fault))
    }

    @Test func sixtyFourKibibytesAreTheBound() {
        func answer(bytes: Int) -> String {
            let frame = #"{"result": true, "x": ""}"#
            return String(frame.dropLast(2)) + String(repeating: "x", count: bytes - frame.utf8.count) + #""}"#
        }
        #expect(Self.read(answer(bytes: 65_536)) == .success(.roleCheck(true)))
        #expect(Self.read(answer(bytes: 65_537)) == .failure(.tooLarge))
    }

    @Test func bytesThatAreNoUTF8AreNoAnswer() {
        #expect(
            EngineAnswerReader.read(Array(#"{"result": true, "x": ""#.utf8) + [0xFF, 0x22, 0x7D]) == .failure(.noJSON))
    }

    /// A changed byte never makes a deny an allow, and never ends the process.
    @Test func aDamagedDenyIsNeverAnAllow() {
        let random = SeededRandom(seed: 5)
        let deny = Array(
            #"{"result": {"allow": false, "reasons": ["not resource owner"], "effective_roles": ["editor", "viewer"]}}"#
                .utf8)
        let alphabet = Array(#"{}[]",:truefalsnl0 \u\0"#.utf8) + [0x00, 0x80, 0xFF]
        for _ in 0..<FuzzCases.count(20_000) {
            var bytes = deny
            for _ in 0...random.below(3) {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] = alphabet[random.below(alphabet.count)]
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(alphabet[random.below(alphabet.count)], at: place)
                default: bytes.removeLast(random.below(bytes.count))
                }
                if bytes.isEmpty { bytes = deny }
            }
            guard case .success(let answer) = EngineAnswerReader.read(bytes) else { continue }
            switch answer {
            case .decision(let allow, _, _): #expect(!allow, "\(String(decoding: bytes, as: UTF8.self))")
            case .roleCheck(let passes): #expect(!passes, "\(String(decoding: bytes, as: UTF8.self))")
            case .unavailable: Issue.record("the reader does not make this")
            }
        }
    }
}
