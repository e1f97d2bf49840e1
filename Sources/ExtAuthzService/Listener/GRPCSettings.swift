// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What the gRPC listener is told at start.
package struct GRPCSettings: Sendable {
    package var host: String
    /// 0 takes any free port.
    package var port: Int
    /// PEM file of the authorities whose clients may ask without being a trusted address; needs TLS.
    package var clientAuthorities: String?
    /// How long calls in flight may take to end when the process stops.
    package var grace: Duration
    /// Time after which a connection without a call is closed.
    package var idleTimeout: Duration
    /// How often the file of the authorities is looked at.
    package var authoritiesRefresh: Duration

    package init(
        host: String, port: Int, clientAuthorities: String? = nil, grace: Duration = .seconds(25),
        idleTimeout: Duration = .seconds(75), authoritiesRefresh: Duration = .seconds(10)
    ) {
        self.host = host
        self.port = port
        self.clientAuthorities = clientAuthorities
        self.grace = grace
        self.idleTimeout = idleTimeout
        self.authoritiesRefresh = authoritiesRefresh
    }
}

/// The sizes that every call is held to.
enum GRPCLimits {
    /// Calls at once on one connection.
    static let streamsPerConnection = 1000
    /// A message.
    static let messageBytes = 256 * 1024
    /// Connections that wait to be accepted.
    static let backlog: Int32 = 1024
}
