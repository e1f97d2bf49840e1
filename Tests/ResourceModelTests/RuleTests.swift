// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Testing

/// One `spec` and the paths that must be reported for it.
struct RuleRow: Sendable, CustomTestStringConvertible {
    var kind: ResourceKind
    var spec: String
    var paths: [String]
    var testDescription: String { "\(kind.rawValue) \(spec)" }

    init(_ kind: ResourceKind, _ spec: String, _ paths: String...) {
        self.kind = kind
        self.spec = spec
        self.paths = paths
    }
}

enum Objects {
    static func decode(_ kind: ResourceKind, _ spec: String) throws -> DecodedResource {
        let text = """
            {"apiVersion":"\(kind.apiVersion)","kind":"\(kind.rawValue)","metadata":{"name":"x","namespace":"acme"},"spec":\(spec)}
            """
        return ResourceDecoder.decode(try JSONParser.parse(text: text))
    }

    static func issuer(_ members: String) -> String {
        #"{"hosts":["a"],"issuers":[{"name":"i","# + members + "}]}"
    }
    static func route(_ members: String) -> String {
        #"{"hosts":["a"],"policy":{"routes":[{"methods":["GET"],"path":"/a","# + members + "}]}}"
    }
    static func condition(_ members: String) -> String {
        #"{"hosts":["a"],"policy":{"rules":[{"name":"r","effect":"deny","when":[{"# + members + "}]}]}}"
    }
}

@Suite struct RuleTests {
    private static let issuer = "spec.issuers[0]"
    private static let route = "spec.policy.routes[0]"
    private static let when = "spec.policy.rules[0].when[0]"

    static let authConfigs: [RuleRow] = [
        RuleRow(.authConfig, #"{"hosts":["a"]}"#),
        RuleRow(.authConfig, "{}", "spec.hosts"),
        RuleRow(.authConfig, #"{"hosts":[]}"#, "spec.hosts"),
        RuleRow(.authConfig, #"{"hosts":["a","a"]}"#, "spec.hosts[1]"),
        RuleRow(.authConfig, #"{"hosts":"a"}"#, "spec.hosts"),
        RuleRow(.authConfig, #"{"hosts":["a"],"mode":"open"}"#, "spec.mode"),
        RuleRow(.authConfig, #"{"hosts":["a"],"hots":1,"mode":null}"#, "spec.hots"),
        RuleRow(.authConfig, #"{"hosts":["a"],"policy":{"rego":"x"}}"#, "spec.policy.rego"),
        RuleRow(.authConfig, Objects.issuer(#""jwks":{},"audiences":["a"]"#)),
        RuleRow(.authConfig, Objects.issuer(#""jwks":{},"allowAnyAudience":true"#)),
        RuleRow(.authConfig, Objects.issuer(#""jwks":{}"#), issuer + ".audiences"),
        RuleRow(.authConfig, Objects.issuer(#""audiences":["a"]"#), issuer),
        RuleRow(.authConfig, Objects.issuer(#""jwks":{},"jwksURL":"https://a/k","audiences":["a"]"#), issuer),
        RuleRow(.authConfig, Objects.issuer(#""discovery":true,"audiences":["a"]"#), issuer + ".issuer"),
        RuleRow(
            .authConfig,
            Objects.issuer(#""jwks":{},"audiences":["a"],"leeway":"121s"}],"rate":{"x":1},"mappings":[{"roles":[]"#),
            issuer + ".leeway", "spec.mappings[0]", "spec.rate.x"),
        RuleRow(.authConfig, Objects.issuer(#""jwks":{},"audiences":["a"],"leeway":30"#), issuer + ".leeway"),
        RuleRow(
            .authConfig, Objects.issuer(#""jwks":{},"audiences":["a"],"algorithms":["none"]"#),
            issuer + ".algorithms[0]"),
        RuleRow(.authConfig, #"{"hosts":["a"],"mappings":[{"subject":"a"},{"group":"b*"}]}"#),
        RuleRow(.authConfig, #"{"hosts":["a"],"mappings":[{"subject":"a","group":"b"}]}"#, "spec.mappings[0]"),
        RuleRow(.authConfig, Objects.route(#""permission":"a:b""#)),
        RuleRow(.authConfig, Objects.route(#""public":true"#)),
        RuleRow(.authConfig, Objects.route(#""public":false"#), route),
        RuleRow(.authConfig, Objects.route(#""public":true,"permission":"a:b""#), route),
        RuleRow(.authConfig, Objects.route(#""public":true,"metering":{}"#), route + ".metering"),
        RuleRow(
            .authConfig, #"{"hosts":["a"],"policy":{"routes":[{"methods":["GET"],"path":"/a/**/b","public":true}]}}"#,
            route + ".path"),
        RuleRow(
            .authConfig, #"{"hosts":["a"],"policy":{"routes":[{"methods":["GET"],"path":"/{a}/{a}","public":true}]}}"#,
            route + ".path"),
        RuleRow(.authConfig, Objects.condition(#""attribute":"action","operator":"eq","value":"x""#)),
        RuleRow(
            .authConfig, Objects.condition(#""attribute":"nobody","operator":"eq","value":"x""#), when + ".attribute"),
        RuleRow(.authConfig, Objects.condition(#""attribute":"action","operator":"in","value":"x""#), when),
        RuleRow(
            .authConfig, Objects.condition(#""attribute":"action","operator":"exists","value":"x""#), when + ".value"),
        RuleRow(
            .authConfig, Objects.condition(#""attribute":"request.remoteIp","operator":"cidr","values":["x"]"#),
            when + ".values"),
        RuleRow(.authConfig, #"{"hosts":["a"],"metering":{"action":"tokens"}}"#, "spec.metering.model"),
        RuleRow(.authConfig, #"{"hosts":["a"],"metering":{"action":"slot"}}"#, "spec.metering.slot"),
        RuleRow(.authConfig, #"{"hosts":["a"],"rate":{"minute":-1}}"#, "spec.rate.minute"),
        RuleRow(.authConfig, #"{"hosts":["a"],"assertion":{"ttl":"4s"}}"#, "spec.assertion.ttl"),
        RuleRow(.authConfig, #"{"hosts":["a"],"assertion":{"ttl":"5m"}}"#),
    ]

    static let others: [RuleRow] = [
        RuleRow(.serviceToken, #"{"secretName":"a"}"#),
        RuleRow(.serviceToken, #"{"secretName":"A"}"#, "spec.secretName"),
        RuleRow(.serviceToken, #"{"secretName":"a","scopes":["*"]}"#, "spec.scopes[0]"),
        RuleRow(.serviceToken, #"{"secretName":"a","allowedCidrs":["10.0.0.0/8","x"]}"#, "spec.allowedCidrs[1]"),
        RuleRow(.serviceToken, #"{"secretName":"a","expiresIn":"59s"}"#, "spec.expiresIn"),
        RuleRow(
            .serviceToken, #"{"secretName":"a","expiresIn":"1h","expiresAt":"2027-01-01T00:00:00Z"}"#, "spec.expiresIn"),
        RuleRow(.serviceToken, #"{"secretName":"a","expiresAt":"soon"}"#, "spec.expiresAt"),
        RuleRow(
            .serviceToken, #"{"secretName":"a","rotation":{"every":"1h","overlap":"1h"}}"#, "spec.rotation.overlap"),
        RuleRow(.serviceToken, #"{"secretName":"a","rotation":{"every":"59m"}}"#, "spec.rotation.every"),
        RuleRow(.serviceToken, #"{"secretName":"a","expiresIn":"2h","rotation":{"every":"2h"}}"#, "spec.expiresIn"),
        RuleRow(.subscription, #"{"tenant":"a","plan":"team"}"#),
        RuleRow(.subscription, #"{"tenant":"a"}"#, "spec.plan"),
        RuleRow(.subscription, #"{"tenant":"a","source":"stripe"}"#),
        RuleRow(
            .subscription, #"{"tenant":"a","source":"stripe","periodAnchor":"2026-01-01T00:00:00Z"}"#,
            "spec.periodAnchor"),
        RuleRow(
            .subscription, #"{"tenant":"a","plan":"t","overrides":{"credits":"1.1234567"}}"#, "spec.overrides.credits"),
        RuleRow(.subscription, #"{"tenant":"a","plan":"t","overrides":{"credits":"1.123456","workers":-1}}"#),
        RuleRow(
            .subscription, #"{"tenant":"a","plan":"t","grants":[{"key":"a","credits":1}]}"#, "spec.grants[0].reason"),
        RuleRow(
            .subscription,
            #"{"tenant":"a","plan":"t","grants":[{"key":"a","credits":1,"reason":"r"},{"key":"a","credits":1,"reason":"r"}]}"#,
            "spec.grants[1].key"),
        RuleRow(
            .subscription,
            #"{"tenant":"a","plan":"t","grants":[{"key":"a","credits":1,"reason":"r","effectiveAt":"2027-01-01T00:00:00Z","expiresAt":"2027-01-01T00:00:00Z"}]}"#,
            "spec.grants[0].expiresAt"),
        RuleRow(
            .subscription, #"{"tenant":"a","plan":"t","budgets":[{"name":"b","scope":"user","period":"daily"}]}"#,
            "spec.budgets[0].match"),
        RuleRow(
            .subscription,
            #"{"tenant":"a","plan":"t","budgets":[{"name":"b","scope":"tenant","period":"daily","softLimitMicroUSD":2,"hardLimitMicroUSD":1}]}"#,
            "spec.budgets[0].softLimitMicroUSD"),
        RuleRow(.subscription, #"{"tenant":"a","plan":"t","stripe":{"customerId":"x_123"}}"#, "spec.stripe.customerId"),
        RuleRow(.toolManifest, #"{"manifest":{"any":{"thing":null}}}"#),
        RuleRow(.toolManifest, #"{"manifest":{},"executable":"/a"}"#, "spec.executable"),
        RuleRow(.toolManifest, #"{"manifest":{},"executable":"a/../b"}"#, "spec.executable"),
    ]

    @Test(arguments: authConfigs + others)
    func reportsExactlyWhatIsWrong(row: RuleRow) throws {
        let result = try Objects.decode(row.kind, row.spec)
        #expect(Set(result.problems.map(\.path)) == Set(row.paths), "\(result.problems)")
        #expect((result.object != nil) == row.paths.isEmpty)
    }

    @Test func messagesNameShapeAndMendNotTheText() throws {
        let result = try Objects.decode(.authConfig, #"{"hosts":["a"],"mode":"s3cret","assertion":{"ttl":"s3cret"}}"#)
        #expect(result.problems.count == 2)
        #expect(!result.problems.contains { $0.message.contains("s3cret") })
        let typo = try Objects.decode(.authConfig, #"{"hosts":["a"],"isuers":[]}"#)
        #expect(typo.problems.first?.message.contains("did you mean issuers") == true)
    }

    @Test func keepsTheSignedDocumentVerbatim() throws {
        let result = try Objects.decode(.toolManifest, #"{"manifest":{"b":null,"a":[1,{"x":2}]}}"#)
        guard case .toolManifest(let object) = result.object else { throw CancellationError() }
        #expect(object.spec.manifest.jsonText == #"{"b":null,"a":[1,{"x":2}]}"#)
    }

    @Test func fillsInDefaults() throws {
        guard case .authConfig(let object) = try Objects.decode(.authConfig, #"{"hosts":["a"]}"#).object else {
            throw CancellationError()
        }
        #expect(object.spec.serviceTokens && object.spec.policy.builtinRoutes)
        #expect(object.spec.assertion.ttl.seconds == 30 && object.spec.mode == nil && object.spec.rate == nil)
        #expect(object.spec.policy.ownership == .default && object.spec.metering.action == .none)
    }

    static let changes: [(ResourceKind, String, String, String)] = [
        (ResourceKind.serviceToken, #"{"secretName":"a"}"#, #"{"secretName":"b"}"#, "spec.secretName"),
        (.serviceToken, #"{"secretName":"a","tenant":"t"}"#, #"{"secretName":"a"}"#, "spec.tenant"),
        (.serviceToken, #"{"secretName":"a","revoked":true}"#, #"{"secretName":"a"}"#, "spec.revoked"),
        (.serviceToken, #"{"secretName":"a"}"#, #"{"secretName":"a","revoked":true,"scopes":["x"]}"#, ""),
        (.subscription, #"{"tenant":"a","plan":"t"}"#, #"{"tenant":"b","plan":"t"}"#, "spec.tenant"),
        (
            .subscription, #"{"tenant":"a","plan":"t","grants":[{"key":"k","credits":1,"reason":"r"}]}"#,
            #"{"tenant":"a","plan":"t","grants":[{"key":"j","credits":5,"reason":"r"},{"key":"k","credits":2,"reason":"r"}]}"#,
            "spec.grants[1].credits"
        ),
        (
            .subscription, #"{"tenant":"a","plan":"t","stripe":{"customerId":"cus_1"}}"#,
            #"{"tenant":"a","plan":"t","stripe":{"customerId":"cus_2"}}"#, "spec.stripe.customerId"
        ),
        (
            .subscription, #"{"tenant":"a","plan":"t","stripe":{"customerId":"cus_1"}}"#,
            #"{"tenant":"a","plan":"t","stripe":{}}"#, ""
        ),
    ]

    @Test(arguments: changes)
    func refusesForbiddenChanges(kind: ResourceKind, old: String, new: String, path: String) throws {
        let before = try #require(try Objects.decode(kind, old).object)
        let after = try #require(try Objects.decode(kind, new).object)
        #expect(ManifestObject.validateUpdate(old: before, new: after).map(\.path) == (path.isEmpty ? [] : [path]))
    }

    static let envelopes: [(String, [String])] = [
        (
            #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k":"aGVsbG8="},"stringData":{"s":"x"}}"#,
            [String]()
        ),
        (#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k":"a"}}"#, ["data.k"]),
        (#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k/":"YQ=="}}"#, ["data"]),
        (#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":1}}"#, ["data.k"]),
        (#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}"#, ["kind"]),
        (#"{"apiVersion":"tollgate.dev/v1","kind":"AuthConfig","metadata":{"name":"a"}}"#, ["apiVersion"]),
        (#"{"kind":"AuthConfig"}"#, ["apiVersion"]),
        (
            #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A","namspace":"b"}}"#,
            ["metadata.name", "metadata.namspace"]
        ),
        ("[1]", [""]),
    ]

    @Test(arguments: envelopes)
    func readsEnvelopes(text: String, paths: [String]) throws {
        let result = ResourceDecoder.decode(try JSONParser.parse(text: text))
        #expect(result.problems.map(\.path).sorted() == paths.sorted(), "\(result.problems)")
    }

    @Test func secretsGiveTheirBytesAndHideThem() throws {
        let text = #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k":"aGVsbG8="}}"#
        guard case .secret(let secret) = ResourceDecoder.decode(try JSONParser.parse(text: text)).object else {
            throw CancellationError()
        }
        #expect(secret.data["k"]?.revealed == Array("hello".utf8))
        #expect(!"\(secret)".contains("104"))
    }
}
