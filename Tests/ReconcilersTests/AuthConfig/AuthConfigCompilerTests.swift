// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

/// What becomes of one AuthConfig: its conditions, and whether its host is open, closed or nobody's.
@Suite struct AuthConfigCompilerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let spec: String
        var namespace = "default"
        /// Conditions that must be there: type and what it shows.
        var conditions: [String: String] = [:]
        /// A part of the message of `Ready`.
        var says = ""
        /// Whoever holds host `a.example.com`: `open`, `closed` or `-`.
        var host = "closed"

        var testDescription: String { name }
    }

    private static let hosts = "hosts: [a.example.com]"
    private static func issuer(_ fields: String) -> String {
        "{\(hosts), issuers: [{name: main, issuer: 'https://id.example', audiences: [api], \(fields)}]}"
    }
    private static let invalid = ["Ready": "False InvalidSpec", "Invalid": "True InvalidSpec"]
    private static let unresolved = ["Ready": "False NotFound", "SecretsResolved": "False NotFound"]
    private static let outside = ["Ready": "False NotAllowedInNamespace"]

    static let rows: [Row] = [
        Row(
            name: "sound", spec: "{\(hosts)}",
            conditions: ["Ready": "True InForce", "Invalid": "False Valid", "PolicyLoaded": "True Loaded"], host: "open"
        ),
        Row(
            name: "secret", spec: issuer("secretRef: {name: good, key: key}"),
            conditions: ["Ready": "True InForce", "SecretsResolved": "True Resolved"], host: "open"),
        Row(
            name: "no secret", spec: issuer("secretRef: {name: gone, key: key}"), conditions: unresolved,
            says: "no Secret default/gone"),
        Row(
            name: "no key in it", spec: issuer("secretRef: {name: good, key: other}"), conditions: unresolved,
            says: "no key other"),
        Row(
            name: "secret of another namespace", spec: issuer("secretRef: {name: good, key: key}"), namespace: "acme",
            conditions: unresolved, says: "no Secret acme/good"),
        Row(
            name: "weak secret", spec: issuer("secretRef: {name: weak, key: key}"), conditions: invalid,
            says: "at least 32"),
        Row(
            name: "no map", spec: issuer("jwksRef: {name: gone, key: key}"), conditions: unresolved,
            says: "no ConfigMap"),
        Row(
            name: "no keys in the map", spec: issuer("jwksRef: {name: empty, key: key}"), conditions: invalid,
            says: "jwksRef"),
        Row(name: "no keys", spec: issuer("jwks: {keys: []}"), conditions: invalid, says: "jwks"),
        Row(
            name: "unknown algorithm", spec: issuer("secretRef: {name: good, key: key}, algorithms: [none]"),
            conditions: ["Ready": "False InvalidSpec"]),
        Row(
            name: "two of an issuer",
            spec:
                "{\(hosts), issuers: [{name: a, issuer: 'https://id.example', audiences: [x], secretRef: {name: good, key: key}}, "
                + "{name: b, issuer: 'https://id.example', audiences: [x], secretRef: {name: good, key: key}}]}",
            conditions: invalid, says: "spec.issuers"),
        Row(
            name: "issuer of the settings",
            spec:
                "{\(hosts), issuers: [{name: a, issuer: 'https://global.example', audiences: [x], secretRef: {name: good, key: key}}]}",
            conditions: invalid, says: "whole installation"),
        Row(
            name: "loopback", spec: issuer("jwksURL: 'https://127.0.0.1/jwks'"), conditions: invalid, says: "not public"
        ),
        Row(
            name: "metadata address", spec: issuer("jwksURL: 'https://169.254.169.254/latest'"), conditions: invalid,
            says: "not public"),
        Row(
            name: "user in the URL", spec: issuer("jwksURL: 'https://me:you@keys.example/jwks'"),
            conditions: ["Ready": "False InvalidSpec"]),
        Row(
            name: "allowed address", spec: issuer("jwksURL: 'https://10.1.2.3/jwks'"),
            conditions: ["Ready": "True InForce"], host: "open"),
        Row(
            name: "allowed name", spec: issuer("jwksURL: 'https://keys.internal/jwks'"),
            conditions: ["Ready": "True InForce"], host: "open"),
        Row(name: "discovery", spec: issuer("discovery: true"), conditions: ["Ready": "True InForce"], host: "open"),
        Row(
            name: "discovery at a private address",
            spec: "{\(hosts), issuers: [{name: a, issuer: 'https://192.168.0.1', audiences: [x], discovery: true}]}",
            conditions: invalid, says: "not public"),
        Row(
            name: "host that is none", spec: "{hosts: [a.example.com, 'a*.example.com']}",
            conditions: ["Ready": "False InvalidSpec"]),
        Row(
            name: "inline rules",
            spec: "{\(hosts), policy: {rules: [{when: [{claim: sub, equals: x}], action: deny}]}}",
            conditions: ["Ready": "False InvalidSpec"]),
        Row(
            name: "sound inline rules",
            spec:
                "{\(hosts), policy: {rules: [{name: r, effect: deny, when: [{attribute: action, operator: prefix, value: a}]}]}}",
            conditions: ["Ready": "True InForce"], host: "open"),
        Row(
            name: "inline rule with a bad pattern",
            spec:
                "{\(hosts), policy: {rules: [{name: r, effect: deny, when: [{attribute: action, operator: matches, value: '(?=a)'}]}]}}",
            conditions: invalid, says: "spec.policy.rules[0].when[0].value"),
        Row(
            name: "inline rules of one name",
            spec:
                "{\(hosts), policy: {rules: [{name: r, effect: deny, when: [{attribute: action, operator: prefix, value: a}]}, "
                + "{name: r, effect: deny, when: [{attribute: action, operator: prefix, value: b}]}]}}",
            conditions: ["Ready": "False InvalidSpec"]),
        Row(
            name: "routes that cross",
            spec:
                "{\(hosts), policy: {routes: [{methods: [GET], path: '/{x}/b', permission: 'a:b'}, {methods: [GET], path: '/a/{y}', public: true}]}}",
            conditions: ["Ready": "True InForce", "PolicyLoaded": "True OverlappingRoutes"], host: "open"),
        Row(name: "assertion", spec: "{\(hosts), assertion: {enabled: true}}", conditions: invalid, says: "assertion"),
        Row(
            name: "bad route", spec: "{\(hosts), policy: {routes: [{methods: [GET], path: 'x', permission: 'a:b'}]}}",
            conditions: invalid, says: "spec.policy.routes[0].path: "),
        Row(
            name: "unreachable route",
            spec:
                "{\(hosts), policy: {routes: [{methods: [GET], path: /x, permission: 'a:b'}, {methods: [GET], path: /x, public: true}]}}",
            conditions: ["Ready": "True InForce", "PolicyLoaded": "True UnreachableRoutes"], host: "open"),
        Row(
            name: "unenforced", spec: "{\(hosts), rate: {minute: 5}, login: {redirect: true}}",
            conditions: ["Ready": "False NotSupported", "Unenforced": "True NotSupported"],
            says: "spec.login.redirect",
            host: "open"),
        Row(name: "unknown field", spec: "{\(hosts), hostes: [x]}", conditions: invalid, says: "hostes"),
        Row(
            name: "tenant namespace", spec: "{\(hosts)}", namespace: "acme", conditions: ["Ready": "True InForce"],
            host: "open"),
        Row(
            name: "no tenant", spec: "{\(hosts)}", namespace: "nowhere", conditions: outside,
            says: "TOLLGATE_NAMESPACE_TENANTS", host: "-"),
        Row(
            name: "no tenant and broken", spec: "{\(hosts), hostes: [x]}", namespace: "nowhere", conditions: outside,
            host: "-"),
        Row(
            name: "platform issuer outside", spec: issuer("platform: true, secretRef: {name: gone, key: key}"),
            namespace: "acme",
            conditions: outside, says: "platform: true", host: "-"),
        Row(
            name: "another tenant", spec: issuer("tenant: other, secretRef: {name: gone, key: key}"), namespace: "acme",
            conditions: outside, says: "acme-corp", host: "-"),
        Row(
            name: "mapping to admin",
            spec: "{\(hosts), mappings: [{group: ops, roles: [admin]}], assertion: {enabled: true}}",
            namespace: "acme", conditions: outside, says: "role admin", host: "-"),
        Row(
            name: "mapping to an admin scope", spec: "{\(hosts), mappings: [{subject: x, scopes: ['admin:access']}]}",
            namespace: "acme", conditions: outside, says: "admin:access", host: "-"),
        Row(
            name: "mapping to admin on the platform", spec: "{\(hosts), mappings: [{group: ops, roles: [admin]}]}",
            conditions: ["Ready": "True InForce"], host: "open"),
        Row(
            name: "host of others", spec: "{\(hosts)}", namespace: "limited",
            conditions: ["Ready": "False OutsideHostPolicy", "HostNotAllowed": "True OutsideHostPolicy"], host: "-"),
    ]

    private static func references() throws -> [CompilerInput] {
        [
            try Manifests.data("Secret", "good", String(repeating: "s", count: 32)),
            try Manifests.data("Secret", "weak", String(repeating: "s", count: 31)),
            try Manifests.data("ConfigMap", "empty", #"{"keys": []}"#),
        ]
    }

    @Test(arguments: rows) func conditionsSayWhatIsWrong(_ row: Row) throws {
        let object = try Manifests.authConfig("it", namespace: row.namespace, row.spec)
        let output = try Manifests.compiler().compile(Self.references() + [object])
        let status = try #require(output.status("it", namespace: row.namespace))
        for (type, shown) in row.conditions.sorted(by: { $0.key < $1.key }) { #expect(status.shown(type) == shown) }
        let message = status.conditions["Ready"]?.message ?? ""
        #expect(row.says.isEmpty || message.contains(row.says), "\(message)")
        let holder = output.holder("a.example.com")
        #expect(holder == "-" ? row.host == "-" : (holder.hasSuffix("!") ? "closed" : "open") == row.host)
        #expect(status.members["linked"] == (row.host == "-" ? "0/1" : row.name == "host that is none" ? "1/2" : "1/1"))
        #expect(!message.contains("ssssssss"), "no secret in a message")
    }

    @Test func plainHTTPNeedsAnAllowance() throws {
        let object = try Manifests.authConfig("it", Self.issuer("jwksURL: 'http://keys.example/jwks'"))
        let output = try Manifests.compiler(egress: .strict).compile([object])
        #expect(output.holder("a.example.com") == "default/it!")
        let message = output.status("it")?.conditions["Ready"]?.message ?? ""
        #expect(message.contains("https is required") && message.contains("TOLLGATE_EGRESS_ALLOW"))
        let allowed = try Manifests.compiler(egress: EgressRules(allowing: ["keys.example"])).compile([object])
        #expect(allowed.holder("a.example.com") == "default/it")
    }

    @Test func remoteKeySetsAreAskedForOnlyForSoundObjects() throws {
        let good = try Manifests.authConfig("good", Self.issuer("jwksURL: 'https://keys.example/a'"))
        let bad = try Manifests.authConfig(
            "bad",
            "{hosts: [b.example.com], issuers: [{name: a, issuer: 'https://b.example', audiences: [x], jwksURL: 'https://keys.example/b'}, "
                + "{name: b, issuer: 'https://c.example', audiences: [x], jwksURL: 'https://127.0.0.1/c'}]}")
        let output = try Manifests.compiler().compile([good, bad])
        #expect(output.keySources == [.jwks(url: "https://keys.example/a", trust: .object)])
        #expect(output.keySourcesByObject.keys.map(\.name) == ["good"])
    }

    @Test func publicExposureTurnsDisabledIntoRequired() throws {
        let object = try Manifests.authConfig("it", "{\(Self.hosts), mode: disabled}")
        for (isExposed, mode) in [(false, AuthMode.disabled), (true, .required)] {
            let output = try Manifests.compiler(isPubliclyExposed: isExposed).compile([object])
            #expect(output.authConfigs.first?.realm.mode == mode)
        }
    }

    @Test func ownIssuersReplaceTheGlobalOnes() throws {
        let own = try Manifests.authConfig("own", Self.issuer("secretRef: {name: good, key: key}"))
        let bare = try Manifests.authConfig("bare", "{hosts: [b.example.com]}")
        let output = try Manifests.compiler().compile(Self.references() + [own, bare])
        let issuers = Dictionary(
            uniqueKeysWithValues: output.authConfigs.map { ($0.key, $0.realm.issuers.entries.compactMap(\.issuer)) })
        #expect(issuers == ["default/own": ["https://id.example"], "default/bare": ["https://global.example"]])
    }

    @Test func tenantsArePinnedOutsideThePlatform() throws {
        let issuer =
            "issuers: [{name: a, issuer: 'https://id.example', audiences: [x], secretRef: {name: good, key: key}}]"
        let secret = try Manifests.data("Secret", "good", namespace: "acme", String(repeating: "s", count: 32))
        let object = try Manifests.authConfig(
            "it", namespace: "acme", "{\(Self.hosts), \(issuer), mappings: [{group: g, roles: [viewer]}]}")
        let output = try Manifests.compiler().compile([secret, object])
        let entry = try #require(output.authConfigs.first?.realm.issuers.entries.first)
        #expect(entry.tenant == "acme-corp")
        #expect(!entry.platform)
    }

    @Test func theOwnAPITakesOneAuthConfigOfThePlatform() throws {
        let issuers =
            "issuers: [{name: a, issuer: 'https://id.example', audiences: [x], secretRef: {name: good, key: key}}]"
        let secrets = try ["default", "acme"].map {
            try Manifests.data("Secret", "good", namespace: $0, String(repeating: "s", count: 32))
        }
        let objects = try ["default", "acme"].map {
            try Manifests.authConfig("own", namespace: $0, "{hosts: [\($0).example.com], \(issuers), mode: disabled}")
        }
        for (name, expected) in [
            ("default/own", ["https://global.example", "https://id.example"]), ("acme/own", ["https://global.example"]),
            ("default/gone", ["https://global.example"]),
        ] {
            let realm = try Manifests.compiler(apiAuthConfig: name).compile(secrets + objects).ownRealm
            #expect(realm.issuers.entries.compactMap(\.issuer).sorted() == expected)
            #expect(realm.mode == .required)
        }
    }
}
