// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// An object that must be refused, and the field that must be named: by the API server and by Tollgate's own reader.
struct InvalidObject: Sendable, CustomStringConvertible {
    let kind: ResourceKind
    /// What our own reader names.
    let field: String
    let spec: String

    var description: String { "\(kind.rawValue) \(field) \(spec)" }

    init(_ kind: ResourceKind, _ field: String, _ spec: String) {
        self.kind = kind
        self.field = field
        self.spec = spec
    }

    /// Whether a message names the field, or its parent and the field's own name beside it (that is how CEL rules speak).
    func isNamed(in message: String) -> Bool {
        if message.contains(field) { return true }
        guard let dot = field.lastIndex(of: ".") else { return false }
        return message.contains(field[..<dot]) && message.contains(field[field.index(after: dot)...])
    }

    /// The whole object.
    func document(name: String, namespace: String) throws -> JSONValue {
        [
            "apiVersion": .string(kind.apiVersion), "kind": .string(kind.rawValue),
            "metadata": ["name": .string(name), "namespace": .string(namespace)],
            "spec": try JSONParser.parse(text: spec),
        ]
    }
}

extension InvalidObject {
    static let all = authConfigs + policies + serviceTokens + subscriptions + toolManifests

    private static func issuer(_ field: String, _ members: String) -> InvalidObject {
        InvalidObject(
            .authConfig, "spec.issuers[0]" + field,
            #"{"hosts":["a"],"issuers":[{"name":"i","# + members + "}]}")
    }

    private static func route(_ field: String, _ members: String) -> InvalidObject {
        InvalidObject(
            .authConfig, "spec.policy.routes[0]" + field, #"{"hosts":["a"],"policy":{"routes":[{"# + members + "}]}}")
    }

    private static let authConfigs = [
        InvalidObject(.authConfig, "spec.hosts", "{}"),
        InvalidObject(.authConfig, "spec.hosts", #"{"hosts":[]}"#),
        InvalidObject(.authConfig, "spec.hosts", #"{"hosts":"a"}"#),
        InvalidObject(.authConfig, "spec.hosts[1]", #"{"hosts":["a","a"]}"#),
        InvalidObject(.authConfig, "spec.hosts[0]", #"{"hosts":[""]}"#),
        InvalidObject(.authConfig, "spec.hosts[0]", #"{"hosts":["\#(String(repeating: "a", count: 254))"]}"#),
        InvalidObject(.authConfig, "spec.mode", #"{"hosts":["a"],"mode":"open"}"#),
        InvalidObject(.authConfig, "spec.apiKeys", #"{"hosts":["a"],"apiKeys":"yes"}"#),
        issuer("", #""audiences":["a"]"#),
        issuer("", #""jwks":{},"jwksURL":"https://a/k","audiences":["a"]"#),
        issuer(".audiences", #""jwks":{}"#),
        issuer(".issuer", #""discovery":true,"audiences":["a"]"#),
        issuer(".leeway", #""jwks":{},"audiences":["a"],"leeway":"121s""#),
        issuer(".leeway", #""jwks":{},"audiences":["a"],"leeway":"half a minute""#),
        issuer(".algorithms[0]", #""jwks":{},"audiences":["a"],"algorithms":["none"]"#),
        issuer(".jwksURL", #""jwksURL":"ftp://a/k","audiences":["a"]"#),
        issuer(".secretRef.key", #""secretRef":{"name":"s"},"audiences":["a"]"#),
        issuer(".secretRef.name", #""secretRef":{"name":"S","key":"k"},"audiences":["a"]"#),
        InvalidObject(
            .authConfig, "spec.issuers[1].name",
            #"{"hosts":["a"],"issuers":[{"name":"i","jwks":{},"audiences":["a"]},{"name":"i","jwks":{},"audiences":["a"]}]}"#
        ),
        InvalidObject(
            .authConfig, "spec.issuers[0].name",
            #"{"hosts":["a"],"issuers":[{"name":"Main","jwks":{},"audiences":["a"]}]}"#),
        InvalidObject(.authConfig, "spec.mappings[0]", #"{"hosts":["a"],"mappings":[{"subject":"a","group":"b"}]}"#),
        InvalidObject(.authConfig, "spec.mappings[0]", #"{"hosts":["a"],"mappings":[{"roles":["a"]}]}"#),
        InvalidObject(.authConfig, "spec.metering.model", #"{"hosts":["a"],"metering":{"action":"tokens"}}"#),
        InvalidObject(.authConfig, "spec.metering.slot", #"{"hosts":["a"],"metering":{"action":"slot"}}"#),
        InvalidObject(.authConfig, "spec.metering.action", #"{"hosts":["a"],"metering":{"action":"other"}}"#),
        InvalidObject(.authConfig, "spec.rate.minute", #"{"hosts":["a"],"rate":{"minute":-1}}"#),
        InvalidObject(.authConfig, "spec.assertion.ttl", #"{"hosts":["a"],"assertion":{"ttl":"4s"}}"#),
        InvalidObject(.authConfig, "spec.assertion.ttl", #"{"hosts":["a"],"assertion":{"ttl":"301s"}}"#),
        InvalidObject(.authConfig, "spec.assertion.header", #"{"hosts":["a"],"assertion":{"header":"X A"}}"#),
    ]

    private static let policies = [
        route("", #""methods":["GET"],"path":"/a""#),
        route("", #""methods":["GET"],"path":"/a","public":true,"permission":"a:b""#),
        route(".metering", #""methods":["GET"],"path":"/a","public":true,"metering":{}"#),
        route(".path", #""methods":["GET"],"path":"a","public":true"#),
        route(".path", #""methods":["GET"],"path":"/a/**/b","public":true"#),
        route(".methods[0]", #""methods":["get"],"path":"/a","public":true"#),
        route(".methods", #""methods":[],"path":"/a","public":true"#),
        route(".ownership", #""methods":["GET"],"path":"/a","public":true,"ownership":"mine""#),
        InvalidObject(.authConfig, "spec.policy.scopes", #"{"hosts":["a"],"policy":{"scopes":"narrow"}}"#),
        InvalidObject(
            .authConfig, "spec.policy.rules[0].effect",
            #"{"hosts":["a"],"policy":{"rules":[{"name":"r","effect":"maybe","when":[{"attribute":"action","operator":"eq","value":"x"}]}]}}"#
        ),
        InvalidObject(
            .authConfig, "spec.policy.rules[0].when[0].attribute",
            #"{"hosts":["a"],"policy":{"rules":[{"name":"r","effect":"deny","when":[{"attribute":"weather","operator":"eq","value":"x"}]}]}}"#
        ),
        InvalidObject(
            .authConfig, "spec.policy.rules[0].when",
            #"{"hosts":["a"],"policy":{"rules":[{"name":"r","effect":"deny","when":[]}]}}"#),
    ]

    private static let serviceTokens = [
        InvalidObject(.serviceToken, "spec.secretName", "{}"),
        InvalidObject(.serviceToken, "spec.secretName", #"{"secretName":"A"}"#),
        InvalidObject(.serviceToken, "spec.secretKey", #"{"secretName":"a","secretKey":"a/b"}"#),
        InvalidObject(.serviceToken, "spec.scopes[0]", #"{"secretName":"a","scopes":["*"]}"#),
        InvalidObject(.serviceToken, "spec.scopes[1]", #"{"secretName":"a","scopes":["a:b","a:b"]}"#),
        InvalidObject(.serviceToken, "spec.expiresIn", #"{"secretName":"a","expiresIn":"59s"}"#),
        InvalidObject(.serviceToken, "spec.expiresIn", #"{"secretName":"a","expiresIn":3600}"#),
        InvalidObject(.serviceToken, "spec.expiresAt", #"{"secretName":"a","expiresAt":"soon"}"#),
        InvalidObject(
            .serviceToken, "spec.expiresIn", #"{"secretName":"a","expiresIn":"1h","expiresAt":"2027-01-01T00:00:00Z"}"#),
        InvalidObject(.serviceToken, "spec.rotation.every", #"{"secretName":"a","rotation":{"every":"59m"}}"#),
        InvalidObject(.serviceToken, "spec.rotation.every", #"{"secretName":"a","rotation":{"overlap":"1m"}}"#),
        InvalidObject(
            .serviceToken, "spec.rotation.overlap", #"{"secretName":"a","rotation":{"every":"1h","overlap":"1h"}}"#),
        InvalidObject(
            .serviceToken, "spec.rotation.overlap", #"{"secretName":"a","rotation":{"every":"200h","overlap":"169h"}}"#),
        InvalidObject(
            .serviceToken, "spec.expiresIn", #"{"secretName":"a","expiresIn":"2h","rotation":{"every":"2h"}}"#),
        InvalidObject(
            .serviceToken, "spec.description",
            #"{"secretName":"a","description":"\#(String(repeating: "a", count: 257))"}"#),
    ]

    private static let subscriptions = [
        InvalidObject(.subscription, "spec.tenant", #"{"plan":"team"}"#),
        InvalidObject(.subscription, "spec.tenant", #"{"tenant":"","plan":"team"}"#),
        InvalidObject(.subscription, "spec.plan", #"{"tenant":"a"}"#),
        InvalidObject(.subscription, "spec.plan", #"{"tenant":"a","plan":"Team"}"#),
        InvalidObject(.subscription, "spec.source", #"{"tenant":"a","plan":"t","source":"paypal"}"#),
        InvalidObject(
            .subscription, "spec.periodAnchor",
            #"{"tenant":"a","source":"stripe","periodAnchor":"2026-01-01T00:00:00Z"}"#),
        InvalidObject(.subscription, "spec.validUntil", #"{"tenant":"a","plan":"t","validUntil":"later"}"#),
        InvalidObject(
            .subscription, "spec.overrides.credits", #"{"tenant":"a","plan":"t","overrides":{"credits":"1.1234567"}}"#),
        InvalidObject(
            .subscription, "spec.overrides.credits", #"{"tenant":"a","plan":"t","overrides":{"credits":-2}}"#),
        InvalidObject(
            .subscription, "spec.overrides.workers", #"{"tenant":"a","plan":"t","overrides":{"workers":-2}}"#),
        InvalidObject(
            .subscription, "spec.grants[0].reason", #"{"tenant":"a","plan":"t","grants":[{"key":"a","credits":1}]}"#),
        InvalidObject(
            .subscription, "spec.grants[0].priority",
            #"{"tenant":"a","plan":"t","grants":[{"key":"a","credits":1,"reason":"r","priority":256}]}"#),
        InvalidObject(
            .subscription, "spec.grants[1].key",
            #"{"tenant":"a","plan":"t","grants":[{"key":"a","credits":1,"reason":"r"},{"key":"a","credits":1,"reason":"r"}]}"#
        ),
        InvalidObject(
            .subscription, "spec.grants[0].expiresAt",
            #"{"tenant":"a","plan":"t","grants":[{"key":"a","credits":1,"reason":"r","effectiveAt":"2027-01-01T00:00:00Z","expiresAt":"2027-01-01T00:00:00Z"}]}"#
        ),
        InvalidObject(
            .subscription, "spec.budgets[0].match",
            #"{"tenant":"a","plan":"t","budgets":[{"name":"b","scope":"user","period":"daily"}]}"#),
        InvalidObject(
            .subscription, "spec.budgets[0].softLimitMicroUSD",
            #"{"tenant":"a","plan":"t","budgets":[{"name":"b","scope":"tenant","period":"daily","softLimitMicroUSD":2,"hardLimitMicroUSD":1}]}"#
        ),
        InvalidObject(
            .subscription, "spec.budgets[0].actionOnHard",
            #"{"tenant":"a","plan":"t","budgets":[{"name":"b","scope":"tenant","period":"daily","actionOnHard":"shout"}]}"#
        ),
        InvalidObject(
            .subscription, "spec.stripe.customerId", #"{"tenant":"a","plan":"t","stripe":{"customerId":"x_123"}}"#),
    ]

    private static let toolManifests = [
        InvalidObject(.toolManifest, "spec.manifest", "{}"),
        InvalidObject(.toolManifest, "spec.manifest", #"{"manifest":"text"}"#),
        InvalidObject(.toolManifest, "spec.executable", #"{"manifest":{},"executable":"/a"}"#),
        InvalidObject(.toolManifest, "spec.executable", #"{"manifest":{},"executable":"a/../b"}"#),
        InvalidObject(.toolManifest, "spec.executable", #"{"manifest":{},"executable":""}"#),
        InvalidObject(.toolManifest, "spec.suspend", #"{"manifest":{},"suspend":"no"}"#),
    ]
}
