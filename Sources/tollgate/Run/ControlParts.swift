// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Billing
internal import Essentials
internal import Logging
internal import Metrics
internal import Reconcilers
internal import RuntimeState
internal import SelfManagement

/// What a control side is made of, whichever it is.
struct ControlParts: Sendable {
    var settings: TollgateSettings
    var authentication: AuthenticationSettings
    var store: any ObjectStatusStore
    var registry: ServiceTokenRegistry
    var keys: APIKeyParts
    var keySets: RemoteKeySets
    /// Whether there is a cluster that can be asked about tokens.
    var reviewsTokens: Bool
    var snapshots: SnapshotStore
    var plans: PlanBook
    /// Where the ledger is handed what Subscriptions ask for; nil where there is none.
    var accounts: SubscriptionAccounts?
    var policy: PolicyParts
    var audit: AuditLog
    /// Tells people; nil where they cannot be reached.
    var notices: NoticeTeller?
    var clock: any WallClock
    var random: any RandomSource
    var logger: Logger

    /// How AuthConfigs are compiled.
    func compiler(_ namespaces: NamespaceRules, needsLabel: Bool = false) throws -> SnapshotCompiler.Settings {
        SnapshotCompiler.Settings(
            namespaces: namespaces, defaults: try settings.realmDefaults(authentication),
            hostPolicy: settings.policy.hostPolicy,
            apiAuthConfig: settings.apiAuthConfig.map { "\($0.namespace)/\($0.name)" },
            egress: try EgressRules(allowing: authentication.egressAllow), needsLabel: needsLabel,
            reviewsTokens: reviewsTokens)
    }
}
