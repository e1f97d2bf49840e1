// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// Values that the chart does not take, and what it says about them.
@Suite(.timeLimit(.minutes(20))) struct ChartRefusalTests {
    /// What is refused, and words of the message.
    private static let refused: [(values: JSONValue, message: String)] = [
        // A typing error, at every depth.
        (["replica": 2], "additional properties 'replica' not allowed"),
        (["image": ["tagg": "1"]], "at '/image': additional properties 'tagg' not allowed"),
        (["selfManagement": ["scale": ["maximum": 3]]], "at '/selfManagement/scale'"),
        (["networkPolicy": ["apiNamespaceSelector": ["matchLabel": [:]]]], "at '/networkPolicy/apiNamespaceSelector'"),
        (["ingress": ["hosts": [["name": "a"]]]], "at '/ingress/hosts/0'"),
        (["extraEnv": [["key": "A"]]], "at '/extraEnv/0'"),
        // A value of the wrong shape.
        (["replicas": "two"], "at '/replicas'"),
        (["auth": ["mode": "mandatory"]], "at '/auth/mode'"),
        (["trustedProxies": ["everybody"]], "at '/trustedProxies/0'"),
        (["image": ["digest": "sha256:abc"]], "at '/image/digest'"),
        (["watchNamespaces": ["No_Name"]], "at '/watchNamespaces/0'"),
        (["redis": ["url": "http://cache"]], "at '/redis/url'"),
        (["selfManagement": ["heal": "maybe"]], "at '/selfManagement/heal'"),
        // Two that do not go together.
        (["auth": ["token": "t", "existingSecret": "s"]], "auth.token and auth.existingSecret are both given"),
        (["auth": ["bootstrapToken": "t", "existingSecret": "s"]], "auth.bootstrapToken and auth.existingSecret are"),
        (
            ["keycloak": ["clientSecret": "t", "existingSecret": "s"]],
            "keycloak.clientSecret and keycloak.existingSecret"
        ),
        (["keycloak": ["adminUsername": "t", "existingSecret": "s"]], "keycloak.adminUsername and keycloak.existing"),
        (["keycloak": ["adminPassword": "t", "existingSecret": "s"]], "keycloak.adminPassword and keycloak.existing"),
        (["stripe": ["apiKey": "t", "existingSecret": "s"]], "stripe.apiKey and stripe.existingSecret are both given"),
        (["stripe": ["webhookSecret": "t", "existingSecret": "s"]], "stripe.webhookSecret and stripe.existingSecret"),
        (["redis": ["url": "redis://r", "existingSecret": "s"]], "redis.url and redis.existingSecret are both given"),
        (
            ["postgresql": ["url": "postgres://p", "existingSecret": "s"]],
            "postgresql.url and postgresql.existingSecret"
        ),
        (
            ["postgresql": ["adminUrl": "postgres://p", "existingSecret": "s"]],
            "postgresql.adminUrl and postgresql.existingSecret"
        ),
        (["postgresql": ["adminUrl": "postgres://p"]], "postgresql.adminUrl needs postgresql.url"),
        (["postgresql": ["adminUrl": "mysql://p"]], "at '/postgresql/adminUrl'"),
        (["s3": ["accessKey": "t", "existingSecret": "s"]], "s3.accessKey and s3.existingSecret are both given"),
        (["s3": ["secretKey": "t", "existingSecret": "s"]], "s3.secretKey and s3.existingSecret are both given"),
        (["autoheal": ["webhookToken": "t", "existingSecret": "s"]], "autoheal.webhookToken and autoheal.existing"),
        // Several processes on a store for one.
        (["replicas": 2], severalReplicas), (["autoscaling": ["enabled": true]], severalReplicas),
        (["selfManagement": ["autoscale": ["mode": "cpu"]]], severalReplicas),
        (["role": "api"], "role api needs postgresql.url or postgresql.existingSecret"),
        (
            ["replicas": 2, "postgresql": ["existingSecret": "p"], "persistence": ["existingClaim": "c"]],
            "persistence.existingClaim cannot be shared by several replicas"
        ),
        // What is not complete.
        (["watchNamespaces": ["*", "a"]], "watchNamespaces names * and others"),
        (["oidc": ["enabled": true]], "oidc.enabled needs oidc.issuer"),
        (["keycloak": ["clientSecret": "t", "url": "https://id"]], "needs keycloak.url and keycloak.realm"),
        (["billing": ["mode": "frontend"], "stripe": ["existingSecret": "s"]], "Tollgate holds no Stripe key"),
        (["s3": ["accessKey": "a"]], "s3.accessKey and s3.secretKey: give both or neither"),
        (["opa": ["enabled": true]], "opa.enabled needs opa.image.digest"),
        (["autoheal": ["enabled": true, "dryRun": false, "webhookToken": "t"]], "needs autoheal.rules"),
        (
            ["autoheal": ["enabled": true, "dryRun": false, "rules": "version: 1"]],
            "live healing needs autoheal.webhookToken or autoheal.existingSecret"
        ),
        (["ingress": ["enabled": true]], "ingress.enabled needs ingress.hosts"),
        (["gateway": ["enabled": true]], "gateway.enabled needs gateway.parentRefs"),
        (
            [
                "role": "worker", "postgresql": ["existingSecret": "p"],
                "ingress": ["enabled": true, "hosts": [["host": "a.example"]]],
            ],
            "role worker answers no requests"
        ),
        (["leaseName": "No Name"], "at '/leaseName'"),
        (["selfManagement": ["scale": ["min": 5, "max": 4]]], "selfManagement.scale.min is above"),
    ]
    private static let severalReplicas =
        "several replicas need postgresql.url or postgresql.existingSecret: the embedded store belongs to one replica"

    @Test func saysWhatIsWrong() async throws {
        let answers = try await HelmEngine.render(Self.refused.map(\.values))
        for (row, answer) in zip(Self.refused, answers) {
            let refusal = answer.refusal
            #expect(refusal?.contains(row.message) == true, "\(row.values.line): \(refusal ?? "rendered")")
        }
    }

    @Test func theSchemaIsStrictEverywhere() throws {
        let file = Repository.root.appending(path: "chart/values.schema.json")
        let schema = try JSONParser.parse(text: String(contentsOf: file, encoding: .utf8))
        var open: [String] = []
        func look(_ node: JSONValue, at path: String) {
            for member in node["properties"]?.objectValue?.members ?? [] {
                look(member.value, at: "\(path)/\(member.name)")
            }
            if let items = node["items"] { look(items, at: "\(path)/[]") }
            if node["properties"] != nil, node["additionalProperties"] != false { open.append(path) }
            // An object without named members is a map, or is passed on to Kubernetes, and says so.
            if node["type"] == "object", node["properties"] == nil, node["additionalProperties"] == nil,
                node["description"] == nil
            {
                open.append(path)
            }
        }
        look(schema, at: "")
        #expect(open == [])
    }
}
