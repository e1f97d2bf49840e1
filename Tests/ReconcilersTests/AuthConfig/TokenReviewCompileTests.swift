// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Reconcilers
internal import ResourceModel
internal import RuntimeState
internal import TestSupport
internal import Testing

/// Where the cluster judges tokens, and for which audiences.
@Suite struct TokenReviewCompileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let spec: String
        var settings: TokenReviewPolicy?
        /// Nil = tokens of the cluster are no credential.
        let audiences: [String]?

        var testDescription: String { name }
    }

    private static let issuers =
        "issuers: [{name: a, issuer: 'https://a.example', audiences: [x], jwksURL: 'https://keys.example/a'}]"
    static let rows = [
        Row(name: "off", spec: "{hosts: [a.example.com]}", audiences: nil),
        Row(
            name: "on", spec: "{hosts: [a.example.com], tokenReview: {enabled: true, audiences: [b, a]}}",
            audiences: ["a", "b"]),
        Row(
            name: "on without audiences", spec: "{hosts: [a.example.com], tokenReview: {enabled: true}}",
            audiences: ["tollgate"]),
        Row(
            name: "audiences alone", spec: "{hosts: [a.example.com], tokenReview: {audiences: [a]}}", audiences: nil),
        Row(
            name: "by the settings", spec: "{hosts: [a.example.com]}", settings: TokenReviewPolicy(audiences: ["s"]),
            audiences: ["s"]),
        Row(
            name: "own issuers replace the settings", spec: "{hosts: [a.example.com], \(issuers)}",
            settings: TokenReviewPolicy(audiences: ["s"]), audiences: nil),
        Row(
            name: "own audiences replace those of the settings",
            spec: "{hosts: [a.example.com], \(issuers), tokenReview: {enabled: true, audiences: [a]}}",
            settings: TokenReviewPolicy(audiences: ["s"]), audiences: ["a"]),
    ]

    @Test(arguments: rows) func theObjectSaysWhere(_ row: Row) throws {
        let object = try Manifests.authConfig("it", row.spec)
        let compiler = try Manifests.compiler(reviewsTokens: true, tokenReview: row.settings)
        let output = compiler.compile([object])
        #expect(output.authConfigs.first?.realm.tokenReview?.audiences == row.audiences)
        #expect(output.status("it")?.shown("Unenforced") == "-")
        #expect(output.status("it")?.shown("Ready") == "True InForce")
        #expect(output.ownRealm.tokenReview == row.settings)
    }

    @Test func withoutAClusterItIsNamedAndNobodyGetsInByIt() throws {
        let object = try Manifests.authConfig("it", "{hosts: [a.example.com], tokenReview: {enabled: true}}")
        let output = try Manifests.compiler().compile([object])
        #expect(output.status("it")?.shown("Unenforced") == "True NotSupported")
        #expect(output.status("it")?.conditions["Ready"]?.message.contains("spec.tokenReview") == true)
        // Still a credential that is configured: the mode enforces.
        #expect(output.authConfigs.first?.realm.tokenReview != nil)
    }

    @Test func theOwnAPITakesWhatEitherTakes() throws {
        let object = try Manifests.authConfig(
            "it", "{hosts: [a.example.com], tokenReview: {enabled: true, audiences: [a]}}")
        let compiler = try Manifests.compiler(
            apiAuthConfig: "default/it", reviewsTokens: true, tokenReview: TokenReviewPolicy(audiences: ["s"]))
        #expect(compiler.compile([object]).ownRealm.tokenReview?.audiences == ["a", "s"])
    }
}
