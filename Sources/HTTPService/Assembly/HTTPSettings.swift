// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Pipeline

/// Where a listener listens.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The certificate files of the listeners, both in PEM; re-read when they change.
package struct TLSFiles: Sendable, Hashable {
    package var certificate: String
    package var privateKey: String

    package init(certificate: String, privateKey: String) {
        self.certificate = certificate
        self.privateKey = privateKey
    }
}

/// What the HTTP listeners are told at start.
package struct HTTPSettings: Sendable {
    /// The API listener; it serves the decision doors too unless they have a listener of their own.
    package var api: ListenAddress
    /// Forward-auth on a listener of its own.
    package var decisions: ListenAddress?
    /// Health, readiness and metrics without a credential.
    package var probes: ListenAddress?
    /// TLS on the API and decision listeners.
    package var tls: TLSFiles?
    /// A decision that takes longer is a 503.
    package var decisionTimeout: Duration
    /// Decisions at once; more are refused before any work.
    package var maxDecisionsInFlight: Int
    /// Requests in one batch.
    package var batchMax: Int
    /// Origins that browsers may call from: exact `scheme://host[:port]`, or `*`.
    package var corsOrigins: [String]
    /// Time from the first byte of a request to its last.
    package var readTimeout: Duration
    /// Time after which a connection without a request is closed.
    package var idleTimeout: Duration
    /// How often the certificate files are looked at.
    package var certificateRefresh: Duration

    package init(
        api: ListenAddress, decisions: ListenAddress? = nil, probes: ListenAddress? = nil, tls: TLSFiles? = nil,
        decisionTimeout: Duration = .milliseconds(150), maxDecisionsInFlight: Int = 2000, batchMax: Int = 100,
        corsOrigins: [String] = [], readTimeout: Duration = .seconds(5), idleTimeout: Duration = .seconds(75),
        certificateRefresh: Duration = .seconds(10)
    ) {
        self.api = api
        self.decisions = decisions
        self.probes = probes
        self.tls = tls
        self.decisionTimeout = decisionTimeout
        self.maxDecisionsInFlight = maxDecisionsInFlight
        self.batchMax = batchMax
        self.corsOrigins = corsOrigins
        self.readTimeout = readTimeout
        self.idleTimeout = idleTimeout
        self.certificateRefresh = certificateRefresh
    }
}

/// The sizes that every request is held to.
enum HTTPLimits {
    /// Request line and headers together.
    static let headBytes = 64 * 1024
    /// Lines of the head, the request line included.
    static let headLines = 128
    /// Body of an own-API call, and of a request sent along to a forward-auth door.
    static let bodyBytes = 64 * 1024
    /// Body of `POST /v1/decisions`.
    static let decisionBodyBytes = 256 * 1024
    /// Body of `POST /v1/decisions/batch`.
    static let batchBodyBytes = 1024 * 1024
}

extension DecisionRunner {
    /// The bounds of the settings.
    convenience init(settings: HTTPSettings, dependencies: HTTPDependencies) {
        self.init(
            decider: dependencies.decider, timeout: settings.decisionTimeout, maximum: settings.maxDecisionsInFlight)
    }
}
