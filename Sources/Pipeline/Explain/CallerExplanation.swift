// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials

/// Explains who is calling.
enum CallerExplanation {
    /// The credential, what it was compared with, and who it proved to be.
    static func text(_ report: CredentialReport, result: AuthenticationResult) -> Explanation {
        var text = report.explanation
        guard let principal = result.principal else {
            if let refusal = result.refusal, refusal.code == .authRateLimitedIdentity {
                text.say(.asker, refusal.message)
                text.mend(.asker, CodeRemedy.text(refusal.code))
            }
            return text
        }
        if principal.isAnonymous {
            if let refusal = result.credentialRefusal {
                text.say(.asker, "the credential is not believed (\(refusal.code.rawValue)): goes on as anonymous")
            } else {
                text.say(.asker, "goes on as anonymous")
            }
            return text
        }
        var said = "verified: \(PolicyExplanation.shown(principal.subject)), \(principal.authSource.rawValue)"
        said += principal.tenantID.map { ", tenant \(PolicyExplanation.shown($0))" } ?? ", of no tenant"
        if let project = principal.projectID { said += ", project \(PolicyExplanation.shown(project))" }
        if principal.platform { said += ", of the platform" }
        text.say(.caller, said)
        return text
    }

    /// Whether whose data is in the report, or who was verified, belongs to another tenant than the asker's.
    static func isOthers(_ report: CredentialReport, principal: Principal?, audience: ExplainAudience) -> Bool {
        if let principal, !principal.isAnonymous {
            return !audience.mayKnow(callerOf: principal.tenantID, isPlatform: principal.platform)
        }
        guard case .tenant(let tenant) = report.holder else { return false }
        return !audience.mayKnow(callerOf: tenant, isPlatform: false)
    }
}
