// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// What to do about a refusal, by its code alone: for steps that know nothing more telling.
enum CodeRemedy {
    /// A sentence for people; nil for codes that are no decision's.
    static func text(_ code: ErrorCode) -> String? {
        request(code) ?? credential(code) ?? policy(code) ?? billing(code) ?? service(code)
    }

    private static func request(_ code: ErrorCode) -> String? {
        switch code {
        case .requestBadMethod: "Name an HTTP method of at most 32 token characters."
        case .requestBadHost: "Name the host that the client asked for: a host name or an address in brackets."
        case .requestHeadersTooLarge:
            "Send less: path and query of at most 16 KiB, headers of at most 64 KiB and 128 lines."
        case .requestDuplicateHeader: "Have the proxy overwrite these headers instead of adding to them."
        case .requestConflictingOrigin: "Have the proxy set or clear every header that describes the original request."
        case .requestTooLarge: "Send a smaller body."
        case .policyPathInvalid: "Call the path in its plain form; a proxy that normalises paths mends harmless ones."
        default: nil
        }
    }

    private static func credential(_ code: ErrorCode) -> String? {
        switch code {
        case .authMissingToken, .authAuthenticationRequired: "Send a credential: Authorization: Bearer <token>."
        case .authInvalidScheme: "Send Authorization: Bearer <token>, nothing else in it."
        case .authInvalidToken, .authTokenRevoked: "Send a credential that is in force; make or request a new one."
        case .authTokenExpired: "Get a new credential: this one is over."
        case .authUnsupportedAlgorithm: "Have the issuer sign with an algorithm that its entry allows."
        case .authInvalidAudience: "Ask the issuer for a token for an audience that its entry accepts."
        case .authInvalidIssuer: "Use a token of an issuer that the AuthConfig names, or add the issuer to it."
        case .authInvalidCertificate: "Call with a client certificate that the AuthConfig accepts."
        case .authTenantMismatch: "Use a token of the tenant that the issuer entry names."
        case .authIPForbidden: "Call from an address that the credential allows, or add the address to it."
        case .authAccountSuspended: "Have the account's suspension lifted (spec.suspended of its Subscription)."
        case .authRateLimitedIP, .authRateLimitedIdentity:
            "Wait for the time in Retry-After, or let it back in: DELETE /v1/admin/auth-blocks."
        case .authMissingScope: "Give the caller the scopes that are asked for."
        case .authWorkspaceForbidden: "Give the caller the workspaces that are asked for."
        default: nil
        }
    }

    private static func policy(_ code: ErrorCode) -> String? {
        switch code {
        case .policyActionInvalid: "Name a permission such as tasks:read, without a wildcard."
        case .policyRouteUnmapped: "Add a rule for method and path to spec.policy.routes of the AuthConfig."
        case .policyResourceConflict: "State each attribute of the resource once, or with the same value everywhere."
        case .policyPermissionDenied: "Give the caller a role that grants the permission."
        case .policyScopeDenied: "Give the credential a scope that covers the permission."
        case .policyPlatformRequired: "Use a credential of the platform itself."
        case .policyTenantDenied: "Call as somebody of the resource's tenant."
        case .policyNotOwner: "Call as the owner of the resource or as an administrator of its tenant."
        case .policyProjectDenied: "Call from the resource's project, or have it share the resource."
        case .policyRuleDenied:
            "Change the request so that no deny rule matches and, where there are allow rules, one does."
        default: nil
        }
    }

    private static func billing(_ code: ErrorCode) -> String? {
        switch code {
        case .billingAccountNotFound:
            "Call as somebody who belongs to an account: give the credential a tenant, or take the metering off the route."
        case .billingAccountSuspended: "Have the account's suspension lifted (spec.suspended of its Subscription)."
        case .billingInactiveSubscription: "Have what is owed paid: the plan that was bought is not in force."
        case .billingPlanRequired, .billingModelTierNotAvailable, .billingPremiumAgentNotAvailable:
            "Have the account changed to the plan in details.upgrade, or ask less in the metering of the route."
        case .billingUnavailable: "See why the ledger cannot be asked: /readyz?verbose and the log name it."
        default: nil
        }
    }

    private static func service(_ code: ErrorCode) -> String? {
        switch code {
        case .authNoConfig: "Name the host in spec.hosts of an AuthConfig."
        case .configInvalid:
            "Mend the AuthConfig: `tollgate get authconfigs` and `tollgate validate` say what is wrong."
        case .decisionNotReady: "Wait until /readyz answers 200; /readyz?verbose says what is missing."
        case .decisionTimeout: "Try again; if it stays, look at tollgate_decision_step_seconds for the slow step."
        case .decisionOverloaded: "Try again in a second; run more replicas, or raise TOLLGATE_DECISION_MAX_IN_FLIGHT."
        case .decisionInternal: "Look for the request id in the log."
        case .authKeyUnavailable: "See why the issuer's key set cannot be fetched: log and metrics name it."
        case .authStoreUnavailable: "See why the token store cannot be read: /readyz?verbose and the log name it."
        case .authReviewUnavailable:
            "See why the API server cannot be asked about tokens: log and metrics name it; it needs rbac.tokenReview."
        case .policyUnavailable: "See why the policy engine does not answer: /readyz?verbose and the log name it."
        case .rateLimited: "Wait for the time in Retry-After, call less often, or have the limit raised."
        case .auditUnavailable: "See why the audit trail cannot be written: disk space and the log."
        default: nil
        }
    }

    /// What to do about a path that is not canonical, by its fault.
    static func text(_ fault: PathFault) -> String {
        switch fault {
        case .badCharacter: "Send no control characters and no \\ in the path."
        case .fragment: "Leave out # and what follows: it is the client's business."
        case .notAbsolute: "Begin the path with /; where a proxy describes the request, have it send the path."
        case .tooLong: "Send a path of at most 4096 bytes."
        case .badEscape: "Write two hexadecimal digits after each %."
        case .encodedSlash: "Leave / and \\ unescaped, or out: servers read an escaped one differently."
        case .encodedPercent: "Escape the path once only: %25 is refused."
        case .controlCharacter: "Escape no control characters into the path."
        case .badUTF8: "Escape only bytes that are UTF-8."
        case .tooManySegments: "Send at most 64 segments."
        case .emptySegment: "Send single slashes; a proxy with merge_slashes mends doubled ones."
        case .dotSegment: "Resolve . and .. before sending; a proxy with normalize_path does."
        case .dotParameter: "Begin no segment with `.;` or `..;`."
        }
    }
}
