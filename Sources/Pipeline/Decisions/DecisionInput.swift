// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials

/// The doors behind which the one pipeline stands.
package enum Door: String, Sendable, CaseIterable {
    case json, nginx, traefik, caddy, envoy
    /// Plain `/v1/forward-auth`: answered as Traefik, both header families read.
    case plain
    /// `GET /oauth2/auth`.
    case oauth2
    /// Envoy ext_authz over gRPC.
    case grpc
}

/// A request about which a gateway asks, as its door described it: nothing here is normalised yet.
package struct DecisionInput: Sendable {
    package var door: Door
    package var method: String?
    package var host: String?
    /// Path and query as received; an absolute URL is taken too.
    package var target: String?
    /// `https` where the door knows nothing.
    package var scheme: String?
    package var headers: HeaderList
    /// The client's address by the trusted-proxy rule; nil only at the JSON door.
    package var clientAddress: IPAddress?
    /// Whether `clientAddress` is itself a trusted proxy, which stands for everybody behind it.
    package var clientIsTrustedProxy: Bool
    /// The credential's text itself instead of a header; JSON door only.
    package var credential: String?
    /// The header element or text that names a client certificate, already known to come from a trusted side.
    package var clientCertificate: String?
    /// Replaces the route's permission; JSON door only, the asking credential holds `admin:access`.
    package var permission: String?
    package var requiredScopes: [String]
    package var requiredWorkspaces: [String]
    /// The gateway's own word about the resource (decisions JSON or trusted headers).
    package var resource: ResourceAttributes
    /// The gateway's own word about what the request uses; JSON door only.
    package var usage: StatedUsage?
    /// What makes the same request be metered once however often it is asked about; nil = each question is metered. JSON door only: nobody
    /// whom the caller can influence may choose it.
    package var meteringKey: String?
    package var explain: Bool
    /// For whom it is explained.
    package var audience: ExplainAudience
    /// No counters, no metering, no failure counted; audited as `decision.explain`.
    package var dryRun: Bool
    /// JSON door: whether failures of the described request may be counted for its `source_ip` (the asker is a platform principal).
    package var countsFailuresForAddress: Bool
    /// JSON door: the token id of whoever asks; failures of what it describes count for it too.
    package var asker: String?
    package var requestID: String
    /// How long whoever asks still waits, counted from the start of the decision; nil = as long as a decision may take.
    package var patience: Duration?

    package init(door: Door, requestID: String) {
        self.door = door
        self.requestID = requestID
        method = nil
        host = nil
        target = nil
        scheme = nil
        headers = HeaderList()
        clientAddress = nil
        clientIsTrustedProxy = false
        credential = nil
        clientCertificate = nil
        permission = nil
        requiredScopes = []
        requiredWorkspaces = []
        resource = ResourceAttributes()
        usage = nil
        meteringKey = nil
        explain = false
        audience = .installation
        dryRun = false
        countsFailuresForAddress = true
        asker = nil
        patience = nil
    }

    /// How long the decision may take: the bound for every decision, or less where whoever asks waits for less.
    func timeout(atMost bound: Duration) -> Duration { min(bound, patience ?? bound) }

    /// The same in nanoseconds.
    func timeout(atMost nanoseconds: Int64) -> Int64 {
        guard let patience else { return nanoseconds }
        return min(nanoseconds, patience.wholeMicroseconds * 1000)
    }
}
