// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Connectors
internal import Essentials
internal import SelfManagement

/// Every setting of a running process, typed and checked. It never changes after the start.
struct TollgateSettings: Sendable {
    var listeners: ListenerSettings
    var decisions: DecisionSettings
    /// What the authentication target reads for itself.
    var authentication: RawAuthenticationSettings
    var console: ConsoleAccessSettings
    /// `namespace/name` of the AuthConfig that the own API accepts as well.
    var apiAuthConfig: APIAuthConfigName?
    /// First part of the text of API keys.
    var apiKeyPrefix: String
    /// Earlier prefixes whose keys keep working.
    var apiKeyOldPrefixes: [String]
    /// What outgoing calls may reach over http or at private addresses.
    var egressAllow: [EgressTarget]
    var policy: PolicyDataSettings
    /// The policy engine outside of the process; nil where decisions are made in it.
    var policyEngine: OPAClientSettings?
    var plans: PlanSettings
    var credits: CreditSettings
    var stripe: StripeAccess
    var process: ProcessSettings
    var tools: ToolSettings
    var healing: HealingConfiguration
    var cluster: ClusterSettings
    var selfManagement: SelfSettings
    /// Nil where the process is no sidecar of an operator.
    var sidecar: SidecarSettings?
    /// Absolute; made by the process with mode 0700.
    var dataDirectory: String
    var database: DatabaseSettings
    /// What replicas share through; nil where each is alone.
    var redis: RedisSettings?
    var audit: AuditTrailSettings
    var logging: LoggingSettings
    /// How long a stopping process serves on while it is not ready any more.
    var drainDelay: Duration
    /// How long requests in flight may take to end after that.
    var grace: Duration
    /// Above this age of the snapshot the process is not ready; nil = never.
    var maxSnapshotAge: Duration?
    var reconcileInterval: Duration
    /// What the start-up log has to say about the settings.
    var notes: [SettingsNote]
}

/// Where the process listens, and who may speak for others there.
struct ListenerSettings: Sendable {
    var api: ListenAddress
    /// nil when forward-auth is answered by the API's listener.
    var decisions: ListenAddress?
    var probes: ListenAddress
    /// nil when Envoy is not answered over gRPC.
    var grpc: GRPCListenerSettings?
    var trustedProxies: [CIDR]
    /// nil = plain text.
    var tls: TLSFiles?
    /// `*` or `scheme://host[:port]`.
    var corsOrigins: [String]
    var publicURL: WebAddress?
}

/// Where Envoy is answered over gRPC.
struct GRPCListenerSettings: Sendable {
    var address: ListenAddress
    /// Absolute path of the authorities whose clients are trusted; nil = only addresses are.
    var clientAuthorities: String?
}

/// The limits of the decision pipeline.
struct DecisionSettings: Sendable {
    var timeout: Duration
    var maxInFlight: Int
    var batchMax: Int
}

/// The texts of the authentication settings by their names (`TOLLGATE_AUTH_…`, `OIDC_…`), without those that are not set. Aliases,
/// files and defaults of the table are already resolved; the values hold secrets.
struct RawAuthenticationSettings: Sendable {
    private let texts: Redacted<[String: String]>

    init(_ texts: [String: String]) { self.texts = Redacted(texts) }

    /// The text of a setting; nil when it is neither set nor has a default.
    subscript(name: String) -> String? { texts.revealed[name] }

    /// Every text by its name.
    var all: [String: String] { texts.revealed }
}

/// A namespace and a name.
struct APIAuthConfigName: Sendable, Hashable {
    var namespace: String
    var name: String
}

/// The ConfigMap of the policy data.
struct PolicyConfigMapName: Sendable, Hashable {
    /// nil = the own one.
    var namespace: String?
    var name: String

    /// Reads `name` or `namespace/name`.
    init(_ text: String) {
        let parts = text.split(separator: "/").map(String.init)
        namespace = parts.count > 1 ? parts[0] : nil
        name = parts.last ?? text
    }
}

/// What namespaces may say, and where the policy data is.
struct PolicyDataSettings: Sendable {
    /// Directory of `data.json` and `routes.yaml`; nil = the built-in copy.
    var directory: String?
    /// The ConfigMap that holds them where there is no directory.
    var configMap: PolicyConfigMapName
    /// Host patterns by namespace; a namespace that is not named is not limited.
    var hostPolicy: [String: [String]]
    /// The tenant by namespace.
    var namespaceTenants: [String: String]
    /// Empty = the own one.
    var platformNamespaces: [String]
    var defaultUserRole: String
    var defaultKeycloakTenantRole: String
    /// Whether requests to workloads need a role that grants what they ask for.
    var roleCheckEnabled: Bool
}

/// The audit trail, and where its index is.
struct AuditTrailSettings: Sendable {
    var trail: AuditSettings
    /// Nil = the shared database where there is one, else a file.
    var index: AuditIndexKind?
    /// The newest events that are kept for clients of live streams that come back.
    var eventsRing = 4096
}

/// How the process logs.
struct LoggingSettings: Sendable {
    var level: LogLevelName
    var format: LogFormat
    /// Adds each step of an authentication to the debug log; never the text of a token.
    var sensitiveDebug: Bool
}
