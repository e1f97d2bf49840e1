// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Every code that an answer of Tollgate can carry: `area.reason`, stable, with its HTTP status and the message that it has unless the place
/// where it arises says more. `docs/reference/error-codes.md` lists the same table; a test compares both.
package enum ErrorCode: String, Sendable, CaseIterable {
    case authMissingToken = "auth.missing_token"
    case authInvalidScheme = "auth.invalid_scheme"
    case authInvalidToken = "auth.invalid_token"
    case authUnsupportedAlgorithm = "auth.unsupported_algorithm"
    case authTokenExpired = "auth.token_expired"
    case authTokenRevoked = "auth.token_revoked"
    case authSessionExpired = "auth.session_expired"
    case authInvalidAudience = "auth.invalid_audience"
    case authInvalidIssuer = "auth.invalid_issuer"
    case authInvalidCertificate = "auth.invalid_certificate"
    case authAuthenticationRequired = "auth.authentication_required"
    case authCSRF = "auth.csrf"
    case authMissingScope = "auth.missing_scope"
    case authWorkspaceForbidden = "auth.workspace_forbidden"
    case authTenantMismatch = "auth.tenant_mismatch"
    case authAccountSuspended = "auth.account_suspended"
    case authIPForbidden = "auth.ip_forbidden"
    case authOriginForbidden = "auth.origin_forbidden"
    case authRateLimitedIP = "auth.rate_limited.ip"
    case authRateLimitedIdentity = "auth.rate_limited.identity"
    case authKeyUnavailable = "auth.key_unavailable"
    case authStoreUnavailable = "auth.store_unavailable"
    case authReviewUnavailable = "auth.review_unavailable"
    case authBlockNotFound = "auth.block_not_found"
    case authSessionNotFound = "auth.session_not_found"
    case authLoginDisabled = "auth.login_disabled"
    case authNoConfig = "auth.no_config"
    case tokenNotFound = "token.not_found"
    case tokenAlreadyExists = "token.already_exists"
    case tokenNotActive = "token.not_active"
    case tokenGrantExceedsCaller = "token.grant_exceeds_caller"
    case policyPathInvalid = "policy.path_invalid"
    case policyActionInvalid = "policy.action_invalid"
    case policyResourceConflict = "policy.resource_conflict"
    case policyRouteUnmapped = "policy.route_unmapped"
    case policyPermissionDenied = "policy.permission_denied"
    case policyScopeDenied = "policy.scope_denied"
    case policyPlatformRequired = "policy.platform_required"
    case policyTenantDenied = "policy.tenant_denied"
    case policyNotOwner = "policy.not_owner"
    case policyProjectDenied = "policy.project_denied"
    case policyRuleDenied = "policy.rule_denied"
    case policyRolesInvalid = "policy.roles_invalid"
    case policyUnavailable = "policy.unavailable"
    case policyStaleRevision = "policy.stale_revision"
    case policyRoleNotFound = "policy.role_not_found"
    case policyRoleInUse = "policy.role_in_use"
    case policyLockout = "policy.lockout"
    case policyReadOnly = "policy.read_only"
    case policyShareInvalid = "policy.share_invalid"
    case policyShareNotFound = "policy.share_not_found"
    case policyShareState = "policy.share_state"
    case policyProjectNotFound = "policy.project_not_found"
    case policyProjectExists = "policy.project_exists"
    case keyNotFound = "key.not_found"
    case keyNotActive = "key.not_active"
    case keyLimitReached = "key.limit_reached"
    case rateLimited = "rate.limited"
    case configInvalid = "config.invalid"
    case decisionUntrustedProxy = "decision.untrusted_proxy"
    case decisionNotReady = "decision.not_ready"
    case decisionTimeout = "decision.timeout"
    case decisionInternal = "decision.internal"
    case decisionOverloaded = "decision.overloaded"
    case requestBadMethod = "request.bad_method"
    case requestBadHost = "request.bad_host"
    case requestConflictingOrigin = "request.conflicting_origin"
    case requestDuplicateHeader = "request.duplicate_header"
    case requestMalformed = "request.malformed"
    case requestInvalid = "request.invalid"
    case requestIdempotencyMismatch = "request.idempotency_mismatch"
    case requestNotFound = "request.not_found"
    case requestMethodNotAllowed = "request.method_not_allowed"
    case requestTimeout = "request.timeout"
    case requestTooLarge = "request.too_large"
    case requestHeadersTooLarge = "request.headers_too_large"
    case eventsTooManyStreams = "events.too_many_streams"
    case auditUnavailable = "audit.unavailable"
    case auditBadFilter = "audit.bad_filter"
    case auditBadQuery = "audit.bad_query"
    case auditBadCursor = "audit.bad_cursor"
    case auditTenantForbidden = "audit.tenant_forbidden"
    case auditQueryTooWide = "audit.query_too_wide"
    case billingAccountNotFound = "billing.account_not_found"
    case billingAccountSuspended = "billing.account_suspended"
    case billingAgentAlreadyHired = "billing.agent_already_hired"
    case billingAgentLimitReached = "billing.agent_limit_reached"
    case billingBudgetExceeded = "billing.budget_exceeded"
    case billingDailyTokenLimitExceeded = "billing.daily_token_limit_exceeded"
    case billingEventClaimed = "billing.event_claimed"
    case billingInactiveSubscription = "billing.inactive_subscription"
    case billingInsufficientCredits = "billing.insufficient_credits"
    case billingInvalidSignature = "billing.invalid_signature"
    case billingMode = "billing.mode"
    case billingModelTierNotAvailable = "billing.model_tier_not_available"
    case billingNoSubscription = "billing.no_subscription"
    case billingNotConfigured = "billing.not_configured"
    case billingNotFound = "billing.not_found"
    case billingNotMonotonic = "billing.not_monotonic"
    case billingOverflow = "billing.overflow"
    case billingPlanRequired = "billing.plan_required"
    case billingPremiumAgentNotAvailable = "billing.premium_agent_not_available"
    case billingPremiumModelLimitReached = "billing.premium_model_limit_reached"
    case billingPricesReadOnly = "billing.prices_read_only"
    case billingReservationCommitted = "billing.reservation_committed"
    case billingReservationExpired = "billing.reservation_expired"
    case billingReservationReleased = "billing.reservation_released"
    case billingSlotLimitReached = "billing.slot_limit_reached"
    case billingTaskLimitReached = "billing.task_limit_reached"
    case billingTooManyReservations = "billing.too_many_reservations"
    case billingUnavailable = "billing.unavailable"
    case billingUnknownModel = "billing.unknown_model"
    case billingUnknownPlan = "billing.unknown_plan"
    case stripeCardError = "stripe.card_error"
    case stripeUpstreamError = "stripe.upstream_error"
    case usageBadCount = "usage.bad_count"
    case usageBadOperation = "usage.bad_operation"
    case usageBadSpecversion = "usage.bad_specversion"
    case usageInconsistentCounts = "usage.inconsistent_counts"
    case usageMissingCounts = "usage.missing_counts"
    case usageMissingField = "usage.missing_field"
    case usageTimeOutOfRange = "usage.time_out_of_range"
    case usageUnknownType = "usage.unknown_type"
    case usageWrongAccount = "usage.wrong_account"
    case toolsNoManifest = "tools.no_manifest"
    case toolsInvalidManifest = "tools.invalid_manifest"
    case toolsUnknownKey = "tools.unknown_key"
    case toolsKeyRevoked = "tools.key_revoked"
    case toolsKeyExpired = "tools.key_expired"
    case toolsBadSignature = "tools.bad_signature"
    case toolsHashMismatch = "tools.hash_mismatch"
    case toolsExecutableMissing = "tools.executable_missing"
    case toolsLimitsExceeded = "tools.limits_exceeded"
    case toolsVersionDowngrade = "tools.version_downgrade"
    case toolsVersionConflict = "tools.version_conflict"
    case k8sBadReplicas = "k8s.bad_replicas"
    case k8sReplicasZero = "k8s.replicas_zero"
    case k8sReplicasOutOfBounds = "k8s.replicas_out_of_bounds"
    case k8sSharedStoreRequired = "k8s.shared_store_required"
    case k8sHPAControls = "k8s.hpa_controls"
    case k8sNoDeployment = "k8s.no_deployment"
    case k8sConflict = "k8s.conflict"
    case k8sNotInCluster = "k8s.not_in_cluster"
    case k8sNoLeader = "k8s.no_leader"
    case k8sForbidden = "k8s.forbidden"
    case k8sAPIUnavailable = "k8s.api_unavailable"
    case healingBadPayload = "healing.bad_payload"
    case healingWebhookNotConfigured = "healing.webhook_not_configured"
    case healingBadDuration = "healing.bad_duration"
    case healingDurationTooLong = "healing.duration_too_long"
    case healingAlertmanagerFailed = "healing.alertmanager_failed"
    case healingBadLink = "healing.bad_link"
    case healingBooksUnavailable = "healing.books_unavailable"
    case internalError = "internal.error"

    /// The HTTP status that goes with the code.
    package var status: Int { row.status }

    /// The message unless a more telling one is given.
    package var message: String { row.message }

    private var row: (status: Int, message: String) {
        switch self {
        case .authMissingToken: (401, "Missing bearer token")
        case .authInvalidScheme: (401, "Authorization header must use the Bearer scheme")
        case .authInvalidToken: (401, "Invalid bearer token")
        case .authUnsupportedAlgorithm: (401, "Bearer token is signed with an unsupported algorithm")
        case .authTokenExpired: (401, "Bearer token has expired")
        case .authTokenRevoked: (401, "Service token has been revoked")
        case .authSessionExpired: (401, "Session has expired")
        case .authInvalidAudience: (401, "Bearer token has an invalid audience")
        case .authInvalidIssuer: (401, "Bearer token has an invalid issuer")
        case .authInvalidCertificate: (401, "Invalid client certificate")
        case .authAuthenticationRequired: (401, "Authentication required")
        case .authCSRF: (403, "Missing or wrong CSRF token")
        case .authMissingScope: (403, "Missing required scopes")
        case .authWorkspaceForbidden: (403, "Workspace access denied")
        case .authTenantMismatch: (403, "Tenant access denied")
        case .authAccountSuspended: (403, "Account is suspended")
        case .authIPForbidden: (403, "Address not allowed for this credential")
        case .authOriginForbidden: (403, "Origin not allowed")
        case .authRateLimitedIP: (429, "Too many authentication attempts")
        case .authRateLimitedIdentity: (429, "Too many authentication attempts")
        case .authKeyUnavailable: (503, "Unable to resolve signing key")
        case .authStoreUnavailable: (503, "Token store unavailable")
        case .authReviewUnavailable: (503, "Token review unavailable")
        case .authBlockNotFound: (404, "No such block")
        case .authSessionNotFound: (404, "No such session")
        case .authLoginDisabled: (404, "No identity provider is set up for signing in")
        case .authNoConfig: (404, "No AuthConfig covers this host")
        case .tokenNotFound: (404, "Service token not found")
        case .tokenAlreadyExists: (409, "A service token with this identifier exists")
        case .tokenNotActive: (409, "Service token is not active")
        case .tokenGrantExceedsCaller: (403, "Cannot grant more than you hold")
        case .policyPathInvalid: (400, "The path is not canonical")
        case .policyActionInvalid: (400, "The action is not a permission")
        case .policyResourceConflict: (400, "Resource attributes disagree")
        case .policyRouteUnmapped: (403, "No rule covers this route")
        case .policyPermissionDenied: (403, "Permission denied")
        case .policyScopeDenied: (403, "Scope does not permit this action")
        case .policyPlatformRequired: (403, "Platform principal required")
        case .policyTenantDenied: (403, "Cross-tenant access denied")
        case .policyNotOwner: (403, "Not the owner of the resource")
        case .policyProjectDenied: (403, "Project access denied")
        case .policyRuleDenied: (403, "Denied by rule")
        case .policyRolesInvalid: (422, "The role data is invalid")
        case .policyUnavailable: (503, "Policy engine unavailable")
        case .policyStaleRevision: (412, "The policy data has changed since that revision")
        case .policyRoleNotFound: (404, "Role not found")
        case .policyRoleInUse: (409, "Other roles inherit from this role")
        case .policyLockout: (409, "The change would lock administrators out")
        case .policyReadOnly: (409, "The policy data cannot be changed here")
        case .policyShareInvalid: (422, "The share is invalid")
        case .policyShareNotFound: (404, "Share not found")
        case .policyShareState: (409, "The state of the share does not allow this")
        case .policyProjectNotFound: (404, "Project not found")
        case .policyProjectExists: (409, "A project with this id exists")
        case .keyNotFound: (404, "API key not found")
        case .keyNotActive: (409, "API key is not active")
        case .keyLimitReached: (403, "API key limit reached")
        case .rateLimited: (429, "Rate limit exceeded")
        case .configInvalid: (503, "The configuration of this host is invalid")
        case .decisionUntrustedProxy:
            (403, "The peer is not a trusted proxy: add its address to TOLLGATE_TRUSTED_PROXIES")
        case .decisionNotReady: (503, "Not ready to decide")
        case .decisionTimeout: (503, "The decision took too long")
        case .decisionInternal: (503, "Internal fault")
        case .decisionOverloaded: (503, "Too many decisions in flight")
        case .requestBadMethod: (400, "The method is missing or not an HTTP token of at most 32 characters")
        case .requestBadHost: (400, "The host is missing or not a host name")
        case .requestConflictingOrigin: (400, "Two headers describe the original request differently")
        case .requestDuplicateHeader: (400, "A header that may come once came more than once")
        case .requestMalformed: (400, "The request is malformed")
        case .requestInvalid: (422, "A value is invalid")
        case .requestIdempotencyMismatch: (422, "The idempotency key was used with another body")
        case .requestNotFound: (404, "Not found")
        case .requestMethodNotAllowed: (405, "Method not allowed")
        case .requestTimeout: (408, "The request took too long to arrive")
        case .requestTooLarge: (413, "The body is too large")
        case .requestHeadersTooLarge: (431, "The request line and headers are too large")
        case .eventsTooManyStreams: (429, "Too many event streams are open")
        case .auditUnavailable: (503, "The audit trail cannot be written")
        case .auditBadFilter: (400, "A filter is invalid")
        case .auditBadQuery: (400, "The query is invalid")
        case .auditBadCursor: (400, "The cursor does not belong to this query")
        case .auditTenantForbidden: (403, "The audit trail of another tenant is not yours to read")
        case .auditQueryTooWide: (503, "The query examined too many entries")
        case .billingAccountNotFound: (404, "There is no such account")
        case .billingAccountSuspended: (403, "The account is suspended")
        case .billingAgentAlreadyHired: (409, "The agent is hired already")
        case .billingAgentLimitReached: (402, "No agent slot is free")
        case .billingBudgetExceeded: (402, "A budget does not allow this")
        case .billingDailyTokenLimitExceeded: (402, "The tokens of this day are used up")
        case .billingEventClaimed: (409, "Another worker has this event")
        case .billingInactiveSubscription: (402, "The subscription is not in force")
        case .billingInsufficientCredits: (402, "There are not enough credits")
        case .billingInvalidSignature: (400, "The signature of the event does not hold")
        case .billingMode: (409, "This call belongs to another billing mode")
        case .billingModelTierNotAvailable: (403, "The plan does not include this tier of models")
        case .billingNoSubscription: (404, "The account has no subscription of the payment provider")
        case .billingNotConfigured: (503, "Stripe is not configured")
        case .billingNotFound: (404, "There is no such thing in this account")
        case .billingNotMonotonic: (422, "A running total is lower than before")
        case .billingOverflow: (422, "The amount is too large to be reckoned with")
        case .billingPlanRequired: (402, "A higher plan is required")
        case .billingPremiumAgentNotAvailable: (403, "The plan does not include premium agents")
        case .billingPremiumModelLimitReached: (402, "No further premium model may be used in this period")
        case .billingPricesReadOnly: (409, "The price list cannot be changed here")
        case .billingReservationCommitted: (409, "The reservation is committed")
        case .billingReservationExpired: (409, "The reservation has expired")
        case .billingReservationReleased: (409, "The reservation is released")
        case .billingSlotLimitReached: (402, "No slot is free")
        case .billingTaskLimitReached: (402, "The tasks of this period are used up")
        case .billingTooManyReservations: (429, "Too many reservations are open")
        case .billingUnavailable: (503, "The billing store cannot be reached")
        case .billingUnknownModel: (422, "There is no price for this model")
        case .billingUnknownPlan: (400, "There is no such plan or pack to buy")
        case .stripeCardError: (402, "The card was declined")
        case .stripeUpstreamError: (502, "Stripe did not do what it was asked")
        case .usageBadCount: (422, "A count is not a whole number from 0 to 1000000000")
        case .usageBadOperation: (422, "The operation of an agent is invoke or run")
        case .usageBadSpecversion: (422, "The specversion of an event must be 1.0")
        case .usageInconsistentCounts: (422, "The counts contradict each other")
        case .usageMissingCounts: (422, "The event counts nothing")
        case .usageMissingField: (422, "A required member is missing or empty")
        case .usageTimeOutOfRange: (422, "The time of the event is more than 5 minutes ahead or more than 31 days ago")
        case .usageUnknownType: (422, "The type of the event is not one that is recorded")
        case .usageWrongAccount: (422, "The account of the event is not the caller's")
        case .toolsNoManifest: (404, "There is no manifest for this tool")
        case .toolsInvalidManifest: (422, "The manifest is invalid")
        case .toolsUnknownKey: (422, "No trusted key signed the manifest")
        case .toolsKeyRevoked: (422, "The key of the manifest is revoked")
        case .toolsKeyExpired: (422, "The key of the manifest is outside its time")
        case .toolsBadSignature: (422, "The signature does not fit the manifest and its key")
        case .toolsHashMismatch: (422, "The executable is not the one that was signed")
        case .toolsExecutableMissing: (403, "The executable of the tool is not there")
        case .toolsLimitsExceeded: (422, "The manifest asks for more than its policy allows")
        case .toolsVersionDowngrade: (409, "A higher version of the tool was registered before")
        case .toolsVersionConflict: (409, "This version of the tool was registered with other bytes")
        case .k8sBadReplicas: (400, "Replicas must be between 0 and 100")
        case .k8sReplicasZero: (422, "Scaling itself to zero would stop Tollgate for good")
        case .k8sReplicasOutOfBounds: (422, "The number of replicas is outside the bounds of this installation")
        case .k8sSharedStoreRequired:
            (409, "Several replicas need TOLLGATE_DATABASE_URL: the embedded store belongs to one replica")
        case .k8sHPAControls: (409, "A HorizontalPodAutoscaler decides on the number of replicas")
        case .k8sNoDeployment: (409, "There is no own Deployment to manage")
        case .k8sConflict: (409, "Others changed the object each time that it was to be written")
        case .k8sNotInCluster: (503, "Tollgate does not run on a cluster")
        case .k8sNoLeader: (503, "No leader can be reached")
        case .k8sForbidden: (503, "The API server does not let Tollgate do this")
        case .k8sAPIUnavailable: (503, "The API server cannot be reached")
        case .healingBadPayload: (400, "The webhook's body is not what Alertmanager sends")
        case .healingWebhookNotConfigured:
            (503, "No webhook credential is configured: set AUTOHEAL_WEBHOOK_TOKEN, _HMAC_KEY or _CIDRS")
        case .healingBadDuration: (400, "The duration is invalid")
        case .healingDurationTooLong: (400, "The duration is too long")
        case .healingAlertmanagerFailed: (502, "Alertmanager did not take the silence")
        case .healingBadLink: (401, "The link is invalid, used or expired")
        case .healingBooksUnavailable: (503, "The healing books cannot be read or written")
        case .internalError: (500, "Internal error")
        }
    }
}
