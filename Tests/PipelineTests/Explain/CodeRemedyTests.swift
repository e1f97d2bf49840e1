// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import Testing

@testable internal import Pipeline

@Suite struct CodeRemedyTests {
    /// Every code that a step of a decision can have.
    static let codes: [ErrorCode] = [
        .requestBadMethod, .requestBadHost, .requestHeadersTooLarge, .requestDuplicateHeader,
        .requestConflictingOrigin, .requestTooLarge, .policyPathInvalid, .authMissingToken, .authInvalidScheme,
        .authInvalidToken, .authUnsupportedAlgorithm, .authTokenExpired, .authTokenRevoked, .authInvalidAudience,
        .authInvalidIssuer, .authInvalidCertificate, .authAuthenticationRequired, .authMissingScope,
        .authWorkspaceForbidden, .authTenantMismatch, .authAccountSuspended, .authIPForbidden, .authRateLimitedIP,
        .authRateLimitedIdentity, .authKeyUnavailable, .authStoreUnavailable, .authReviewUnavailable, .authNoConfig,
        .policyActionInvalid,
        .policyRouteUnmapped, .policyResourceConflict, .policyPermissionDenied, .policyScopeDenied,
        .policyPlatformRequired, .policyTenantDenied, .policyNotOwner, .policyProjectDenied, .policyRuleDenied,
        .policyUnavailable, .rateLimited, .configInvalid, .decisionNotReady, .decisionTimeout, .decisionOverloaded,
        .decisionInternal, .auditUnavailable,
    ]

    @Test(arguments: codes) func aRefusalSaysWhatToChange(code: ErrorCode) throws {
        let text = try #require(CodeRemedy.text(code))
        #expect(text.hasSuffix("."))
        #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }

    @Test(arguments: PathFault.allCases) func aPathFaultSaysWhatToChange(fault: PathFault) {
        #expect(CodeRemedy.text(fault).hasSuffix("."))
        let explanation = OutcomeExplanation.path(fault)
        #expect(explanation.compared.map(\.text) == ["the path is not canonical: \(fault.rawValue)"])
        #expect(explanation.remedies.count == 1)
    }

    @Test func codesOfOtherEndpointsHaveNone() {
        for code in [ErrorCode.tokenNotFound, .keyNotFound, .requestMalformed, .policyLockout, .auditBadFilter] {
            #expect(CodeRemedy.text(code) == nil)
        }
    }
}

@Suite struct ExplainAudienceTests {
    private static let tenants: [String?] = [nil, "acme", "globex"]

    @Test func theInstallationMayKnowEverything() {
        for tenant in Self.tenants {
            for platform in [true, false] {
                #expect(ExplainAudience.installation.mayKnow(callerOf: tenant, isPlatform: platform))
            }
            #expect(ExplainAudience.installation.mayKnow(hostOf: tenant))
        }
    }

    @Test(arguments: tenants, tenants) func aTenantMayKnowItsOwn(asker: String?, of tenant: String?) {
        let audience = ExplainAudience(tenant: asker, isPlatform: false)
        #expect(audience.mayKnow(callerOf: tenant, isPlatform: false) == (asker == tenant))
        #expect(!audience.mayKnow(callerOf: tenant, isPlatform: true))
        // An AuthConfig of the platform covers everybody.
        #expect(audience.mayKnow(hostOf: tenant) == (tenant == nil || asker == tenant))
    }

    @Test func whatIsNotTheAskersBusinessIsOneLineThatSaysSo() {
        var explanation = Explanation(.asker, "said")
        explanation.say(.caller, "roles")
        explanation.say(.caller, "scopes")
        explanation.say(.installation, "20 failures")
        explanation.say(.host, "rule\nof a host")
        #expect(ExplainBlanks.none.text(explanation.compared) == "said\nroles\nscopes\n20 failures\nrule of a host")
        var blanks = ExplainBlanks()
        blanks.caller = true
        blanks.installation = true
        #expect(blanks.text(explanation.compared) == "said\nbelongs to another tenant\nrule of a host")
        blanks.host = true
        #expect(blanks.text(explanation.compared) == "said\nbelongs to another tenant")
        #expect(blanks.text([]) == nil)
    }
}

@Suite struct StageExplanationTests {
    @Test func everyWindowIsShownAsItStands() {
        let minute = RateLimitReport.Window(name: .minute, limit: 30, remaining: 29, reset: 60)
        let day = RateLimitReport.Window(name: .day, limit: 500, remaining: 0, reset: 86_400)
        let text = StageExplanation.taken("room", limits: RateLimitReport(windows: [minute, day], told: day))
        #expect(
            text.compared.map(\.text) == [
                "room", "minute: 29 of 30 left, more from 1970-01-01T00:01:00Z",
                "day: 0 of 500 left, more from 1970-01-02T00:00:00Z",
            ])
        #expect(StageExplanation.taken("none", limits: nil).compared.map(\.text) == ["none"])
    }
}
