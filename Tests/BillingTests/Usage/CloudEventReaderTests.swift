// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct CloudEventReaderTests {
    private static func read(
        _ type: String?, _ body: String, _ headers: [(String, String)] = []
    ) throws(Refusal) -> CloudEventBatch {
        try CloudEventReader.read(
            headers: HeaderList((type.map { [("Content-Type", $0)] } ?? []) + headers), body: Array(body.utf8))
    }

    /// Content type, body, the ids that come out, and whether it is a single event.
    @Test(
        arguments: [
            ("application/cloudevents+json", #"{"id":"1"}"#, ["1"], true),
            ("application/cloudevents+json; charset=utf-8", #"{"id":"1"}"#, ["1"], true),
            ("Application/CloudEvents-Batch+JSON", #"[{"id":"1"},{"id":"2"}]"#, ["1", "2"], false),
            ("application/cloudevents-batch+json", "[]", [], false),
            ("application/json", #"{"id":"1"}"#, ["1"], true),
            ("application/json", " \n[{\"id\":\"1\"}]", ["1"], false),
            ("application/vnd.acme+json", #"{"id":"1"}"#, ["1"], true),
            (nil, #"[{"id":"1"}]"#, ["1"], false),
            ("application/json", #"[{"id":"1"},7,{"id":"3"}]"#, ["1", nil, "3"], false),
        ] as [(String?, String, [String?], Bool)])
    func readsEveryMode(_ type: String?, _ body: String, _ ids: [String?], _ isSingle: Bool) throws {
        let batch = try Self.read(type, body)
        #expect(batch.events.map { $0.members["id"]?.stringValue } == ids)
        #expect(batch.isSingle == isSingle)
    }

    @Test func readsBinaryEvents() throws {
        let batch = try Self.read(
            "application/json", #"{"model":"m","input":1}"#,
            [
                ("CE-SpecVersion", "1.0"), ("ce-id", "a%20%C3%A9%25"), ("ce-source", "gw"), ("ce-subject", "acme"),
                ("ce-type", "dev.tollgate.usage.tokens"), ("ce-data", "x"), ("ce-data_base64", "x"), ("other", "y"),
            ])
        #expect(batch.isSingle)
        let members = batch.events[0].members
        #expect(members["id"] == "a é%")
        #expect(members["data"] == ["model": "m", "input": 1])
        #expect(!members.names.contains("data_base64") && !members.names.contains("other"))
        #expect(Events.taken(members)?.content == .tokens(TokenCounts(input: 1), model: "m", provider: nil))
        let empty = try Self.read("application/json", "", [("ce-id", "1")]).events[0].members
        #expect(!empty.names.contains("data"))
    }

    @Test(
        arguments: [
            ("application/json", "", [], "The body is not JSON"),
            ("application/json", "{", [], "The body is not JSON"),
            ("application/json", "{} x", [], "The body is not JSON"),
            ("application/json", #"{"a":1,"a":2}"#, [], "The body is not JSON"),
            ("application/json", "7", [], "An event must be a JSON object"),
            ("application/cloudevents+json", "[]", [], "An event must be a JSON object"),
            ("application/cloudevents-batch+json", "{}", [], "A batch of events must be a JSON list"),
            ("application/cloudevents+avro", "{}", [], "Events are read as JSON, not as application/cloudevents+avro"),
            (
                "text/plain", "{}", [],
                "The content type must be application/cloudevents+json, application/cloudevents-batch+json or "
                    + "application/json"
            ),
            ("application/json", "{}", [("ce-id", "1"), ("ce-id", "2")], "A header is not readable, or came twice"),
            ("application/json", "{}", [("ce-id", "%4")], "A header is not readable, or came twice"),
            ("application/json", "{}", [("ce-id", "%zz")], "A header is not readable, or came twice"),
            ("application/json", "{}", [("ce-id", "%FF")], "A header is not readable, or came twice"),
            ("application/json", "[", [("ce-id", "1")], "The body is not JSON"),
        ] as [(String, String, [(String, String)], String)])
    func refusesWhatCannotBeRead(
        _ type: String, _ body: String, _ headers: [(String, String)], _ message: String
    ) {
        let refusal = #expect(throws: Refusal.self) { try Self.read(type, body, headers) }
        #expect(refusal?.code == .requestMalformed)
        #expect(refusal?.message == message)
    }

    @Test func refusesTooMuch() throws {
        func list(_ events: [String]) -> String { "[" + events.joined(separator: ",") + "]" }
        let thousand = Array(repeating: "{}", count: 1000)
        #expect(try Self.read("application/json", list(thousand)).events.count == 1000)
        #expect(throws: Refusal(.requestTooLarge, details: ["limit_events": 1000])) {
            try Self.read("application/json", list(thousand + ["{}"]))
        }
        // Braces and quotes inside of texts do not count.
        let filler = #"{"a":"\"]}, [{"#
        let exact = filler + String(repeating: "x", count: 65_536 - filler.utf8.count - 2) + "\"}"
        #expect(exact.utf8.count == 65_536)
        #expect(try Self.read("application/json", list(["{}", " \(exact) "])).events.count == 2)
        #expect(try Self.read("application/json", exact).isSingle)
        let over = exact.replacing("x\"}", with: "xx\"}", maxReplacements: 1)
        #expect(throws: Refusal(.requestTooLarge, details: ["limit_event_bytes": 65_536, "index": 2])) {
            try Self.read("application/json", list(["{}", "[]", over]))
        }
        #expect(throws: Refusal(.requestTooLarge, details: ["limit_event_bytes": 65_536, "index": 0])) {
            try Self.read("application/json", over)
        }
        #expect(throws: Refusal(.requestTooLarge, details: ["limit_event_bytes": 65_536, "index": 0])) {
            try Self.read("application/json", over, [("ce-id", "1")])
        }
        let many = list(Array(repeating: exact, count: 15))
        #expect(try Self.read("application/json", many).events.count == 15)
        #expect(throws: Refusal(.requestTooLarge, details: ["limit_bytes": 1_048_576])) {
            try Self.read("application/json", many + String(repeating: " ", count: 1_048_577 - many.utf8.count))
        }
    }

    /// Any bytes give events or one of two refusals.
    @Test func survivesAnyBytes() {
        let random = SeededRandom(seed: 31)
        let sound = Array(JSONValue.array([.object(Events.tokens()), .object(Events.task(["count": 1]))]).encoded())
        let types = ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "x/y"]
        for _ in 0..<FuzzCases.count(2000) {
            var bytes = random.below(4) == 0 ? random.bytes(random.below(200)) : sound
            for _ in 0..<random.below(6) where !bytes.isEmpty {
                let place = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: Array("[{\"\\,:".utf8).prefix(random.below(7)), at: place)
                }
            }
            let headers = HeaderList(
                [("content-type", types[random.below(types.count)])]
                    + (random.below(3) == 0 ? [("ce-id", String(decoding: random.bytes(5), as: UTF8.self))] : []))
            do throws(Refusal) {
                let batch = try CloudEventReader.read(headers: headers, body: bytes)
                let candidates = Events.check(batch.events.map(\.members))
                #expect(candidates.count == batch.events.count)
            } catch {
                #expect(error.code == .requestMalformed || error.code == .requestTooLarge)
            }
        }
    }
}
