// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import HTTPService
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdTesting
internal import NIOCore
internal import TestSupport
internal import Testing

@Suite struct DecisionFuzzTests {
    private static let seeds: [String] = [
        DecisionsDoorTests.small,
        #"{"request":{"method":"POST","host":"a.example","path":"/x","headers":{"authorization":"Bearer a.b.c","x":["1","2"]},"source_ip":"::1"},"resource":{"type":"t","id":"1"},"idempotency_key":"k","explain":true}"#,
        #"{"requests":[{"request":{"method":"GET","host":"a","path":"/"}},{"request":{"method":"GET","host":"b","path":"/é"}}]}"#,
        #"{"request":{"method":"GET","host":"a","path":"/"},"required_scopes":["a:b"],"usage":{"action":"task"},"credential":"tgs_x"}"#,
        #"{"request":{"method":"GET","host":"a","path":"/"},"usage":{"action":"tokens","provider":"p","model":"m","input":1,"max_output":2,"cached_input":3,"user":"u"}}"#,
        #"{"request":{"method":"GET","host":"a","path":"/"},"usage":{"action":"agent.hire","id":"a1","premium":true,"account":"acme"}}"#,
        #"{"requests":[{"request":{"method":"GET","host":"a","path":"/"},"usage":{"action":"slot","kind":"worker","id":"w"}},{"request":{"method":"GET","host":"a","path":"/"},"usage":{"action":"task","count":2}}]}"#,
    ]
    private static let pieces: [String] = [
        "null", "true", "-1", "1e999", "\"\\u0000\"", "{}", "[]", "\\ud800", "\u{FF}", "\"\"", ",", ":", "}", "]", "\"",
        "[[[[[[[[",
        "{\"a\":", "\u{0}", "9223372036854775808", "\"request\":", "\"headers\":{\"Authorization\":[]}", "\"count\":0,",
        "\"premium\":1,",
        "\"kind\":\"agent\",",
    ]

    /// Every mutated body gets a decision or an envelope; nothing crashes and nothing answers without a code.
    @Test func answersEveryMutatedBody() async throws {
        let cases = FuzzCases.count(20_000)
        let random = SeededRandom(seed: 0x7011)
        let gate = Gate()
        try await Application(responder: gate.responder, logger: gate.dependencies.logger).test(.router) { client in
            for number in 0..<cases {
                let body = Self.mutated(random)
                let path = ["/v1/decisions", "/v1/decisions/batch", "/v1/decisions/explain"][random.below(3)]
                let response = try await client.executeRequest(
                    uri: path, method: .post, headers: [:], body: ByteBuffer(bytes: body))
                let reply = Reply(response)
                let isDecided = reply.status == 200 && (reply.json["decision"] ?? reply.json["decisions"]) != nil
                let isRefused = reply.status >= 400 && reply.code != nil && reply.json["request_id"] != nil
                if !isDecided && !isRefused {
                    Issue.record(
                        "case \(number): \(reply.status) \(reply.text) for \(String(decoding: body, as: UTF8.self))")
                    return
                }
            }
        }
    }

    private static func mutated(_ random: SeededRandom) -> [UInt8] {
        var bytes = Array(seeds[random.below(seeds.count)].utf8)
        for _ in 0...random.below(4) {
            guard !bytes.isEmpty else { return bytes }
            let position = random.below(bytes.count)
            switch random.below(5) {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: position)
            case 2: bytes.insert(contentsOf: Array(pieces[random.below(pieces.count)].utf8), at: position)
            case 3: bytes.removeSubrange(position..<min(bytes.count, position + random.below(16)))
            default:
                bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + random.below(32))], at: position)
            }
        }
        return bytes
    }
}
