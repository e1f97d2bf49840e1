// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Where the programs stand that the peer tests start.
package enum PeerPaths {
    /// A program of `Scripts/setup-peers.sh`.
    package enum Peer: String, Sendable {
        case nginx, caddy, envoy, glewlwyd, sqlite3, wrk
        /// The database server, what makes its files, and its client.
        case postgres, initdb, psql
        case redisServer = "redis-server"
        case redisSentinel = "redis-sentinel"
        case redisCLI = "redis-cli"
        /// The shipped Rego policies in a real engine.
        case policyEngine = "policy-engine"
        /// The real kubectl.
        case kubectl
        /// Starts and stops a real Kubernetes control plane.
        case controlPlane = "control-plane"
        /// Helm's own engine.
        case helmEngine = "helm-engine"
        /// Monitoring, and the checkers of its files.
        case prometheus, promtool, alertmanager, amtool
        /// A browser, and a walk through the console with it.
        case chromium
        case consoleBrowser = "console-browser"
        /// A stand-in for Stripe, and Stripe's own library.
        case localstripe
        case stripeLibrary = "stripe-library"
    }

    /// The launcher of a peer.
    ///
    /// - Throws: `PeerFault` naming the command that installs it. A missing peer fails the test, it does not skip it.
    package static func path(of peer: Peer) throws -> String {
        try executable("\(Repository.root.path)/.peers/bin/\(peer.rawValue)", mend: "run Scripts/setup-peers.sh")
    }

    /// The folder that holds the unpacked packages of the peers, such as glewlwyd's modules and its database schema.
    package static var unpackedRoot: String { "\(Repository.root.path)/.peers/root" }

    /// The daemon: `TOLLGATE_TEST_BINARY` if set, else the debug build beside the tests.
    package static func tollgate() throws -> String {
        if let named = ProcessInfo.processInfo.environment["TOLLGATE_TEST_BINARY"], !named.isEmpty {
            return try executable(named, mend: "TOLLGATE_TEST_BINARY names it")
        }
        return try executable("\(Repository.root.path)/.build/debug/tollgate", mend: "run swift build")
    }

    private static func executable(_ path: String, mend: String) throws -> String {
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw PeerFault(message: "no program at \(path): \(mend)")
        }
        return path
    }
}
