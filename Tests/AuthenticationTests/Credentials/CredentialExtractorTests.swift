// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@Suite struct CredentialExtractorTests {
    private static func extract(
        _ headers: [(String, String)], query: String? = nil, webSocket: Bool = false
    ) -> String {
        let found = CredentialExtractor.extract(
            headers: HeaderList(headers), query: query, isWebSocketUpgrade: webSocket, prefixes: TokenPrefixes())
        return switch found {
        case .none: "none"
        case .found(let credential): "\(credential.source.rawValue) \(credential.text.revealed)"
        case .refused(let refusal): refusal.code.rawValue
        }
    }

    @Test func refusesSecondLines() {
        #expect(Self.extract([("Authorization", ""), ("authorization", "Bearer a")]) == "request.duplicate_header")
        #expect(Self.extract([("X-API-Key", "tgs_a"), ("x-api-key", "tgs_b")]) == "request.duplicate_header")
    }

    @Test func treatsBlankHeadersAsAbsent() {
        #expect(Self.extract([("X-API-Key", "  "), ("Authorization", "\t")]) == "none")
        #expect(Self.extract([("X-API-Key", "  "), ("Authorization", "bearer\t a ")]) == "authorization a")
    }

    @Test func boundsTheText() {
        let long = String(repeating: "a", count: 8192)
        #expect(Self.extract([("Authorization", "Bearer \(long)")]) == "authorization \(long)")
        #expect(Self.extract([("Authorization", "Bearer \(long)a")]) == "auth.invalid_token")
        #expect(Self.extract([("X-API-Key", "tgs_\(long)")]) == "auth.invalid_token")
    }

    @Test func readsQueriesOfUpgradesOnly() {
        #expect(Self.extract([], query: "token=a") == "none")
        #expect(Self.extract([], query: "token=&access_token=a%2Bb+c&token=", webSocket: true) == "query a+b+c")
        #expect(Self.extract([], query: "access_token=b&token=a", webSocket: true) == "query a")
        #expect(Self.extract([], query: "token=%2525", webSocket: true) == "query %25")
        #expect(Self.extract([], query: "token=%F", webSocket: true) == "auth.invalid_token")
        #expect(Self.extract([], query: "token=%FF", webSocket: true) == "auth.invalid_token")
        #expect(Self.extract([], query: "xtoken=a&tokens=b", webSocket: true) == "none")
    }

    @Test func readsSubprotocolsOfUpgradesOnly() {
        let lines = [("Sec-WebSocket-Protocol", "x"), ("Sec-WebSocket-Protocol", "bearer., bearer.t")]
        #expect(Self.extract(lines) == "none")
        #expect(Self.extract(lines, query: "token=q", webSocket: true) == "websocket-protocol t")
    }

    @Test func knowsUpgrades() {
        func isUpgrade(_ method: String, _ headers: [(String, String)]) -> Bool {
            CredentialExtractor.isWebSocketUpgrade(method: method, headers: HeaderList(headers))
        }
        #expect(isUpgrade("GET", [("Upgrade", "h2c, WebSocket")]))
        #expect(isUpgrade("GET", [("Sec-WebSocket-Key", "x")]))
        #expect(isUpgrade("CONNECT", [(":protocol", "websocket")]))
        #expect(!isUpgrade("GET", [(":protocol", "websocket")]))
        #expect(!isUpgrade("GET", [("Upgrade", "h2c"), ("User-Agent", "websocket")]))
    }

    /// Mutated headers crash nothing, match nothing by accident and never fall back to a later source.
    @Test func fuzzedHeadersNeverCrash() {
        let count = FuzzCases.count(20_000)
        let random = SeededRandom(seed: 77)
        let seeds = [
            "Bearer tgs_my-ci-token_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3Spneq", "Bearer a.b.c", "Basic dTpw",
            "bearer\t\t x", "BEARER", "tgk_live_k3y0_x", "bearer.t, foo", "token=%41&access_token=b", "",
        ]
        let names = ["Authorization", "X-API-Key", "Sec-WebSocket-Protocol", "authorization", "Upgrade"]
        var found = 0
        for _ in 0..<count {
            var headers = HeaderList()
            for _ in 0..<random.below(4) {
                headers.append(
                    name: ASCII.lowercased(names[random.below(names.count)]),
                    value: Self.mutated(seeds[random.below(seeds.count)], random))
            }
            let query = random.below(2) == 0 ? nil : Self.mutated(seeds[random.below(seeds.count)], random)
            let isUpgrade = CredentialExtractor.isWebSocketUpgrade(method: "GET", headers: headers)
            let extraction = CredentialExtractor.extract(
                headers: headers, query: query, isWebSocketUpgrade: isUpgrade, prefixes: TokenPrefixes())
            switch extraction {
            case .none:
                #expect(headers.all("authorization").allSatisfy { ASCII.trimmed($0).isEmpty })
            case .refused(let refusal): #expect(refusal.status == 400 || refusal.status == 401)
            case .found(let credential):
                found += 1
                let text = credential.text.revealed
                #expect(!text.isEmpty && text.utf8.count <= 8192)
                if credential.source == .authorization {
                    #expect(headers.first("authorization")?.utf8.count ?? 0 > text.utf8.count)
                    #expect(headers.all("x-api-key").allSatisfy { ASCII.trimmed($0).isEmpty })
                }
                if credential.source == .apiKeyHeader { #expect(TokenPrefixes().kind(of: text) != nil) }
            }
        }
        print("credential fuzz: \(count) cases, \(found) with a credential")
        #expect(found > 0)
    }

    private static func mutated(_ text: String, _ random: SeededRandom) -> String {
        var bytes = Array(text.utf8)
        for _ in 0..<random.below(4) {
            let position = random.below(bytes.count + 1)
            switch random.below(4) {
            case 0: bytes.insert(UInt8(random.below(256)), at: position)
            case 1 where position < bytes.count: bytes.remove(at: position)
            case 2 where position < bytes.count: bytes[position] = UInt8(random.below(256))
            case 3: bytes += bytes.prefix(position)
            default: continue
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
