// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

/// The console in a real browser, over a real daemon that is restarted in the middle: `Scripts/console-browser.py` says what is looked at.
@Suite(.timeLimit(.minutes(20))) struct ConsoleBrowserTests {
    private static let manifests = """
        apiVersion: tollgate.dev/v1alpha1
        kind: AuthConfig
        metadata: {name: console, namespace: default}
        spec: {hosts: [console.example], mode: required}
        """

    private static let webhookToken = "webhook-token-of-the-console-0123456789"

    @Test func peopleCanUseIt() async throws {
        try await RedisServer.with { redis in
            // Sessions outlive the daemon in Redis.
            let daemon = try TollgateDaemon(
                manifests: Self.manifests,
                settings: [
                    "REDIS_URL": redis.url, "TOLLGATE_REDIS_TIMEOUT": "5s", "AUTOHEAL_WEBHOOK_TOKEN": Self.webhookToken,
                    "TOLLGATE_SESSION_KEY": PaddedBase64.encode(Array(repeating: 7, count: 32)),
                ])
            let folder = try TemporaryDirectory()
            try await PeerProcess.with(
                name: "console-browser", executable: try PeerPaths.path(of: .consoleBrowser),
                arguments: [
                    "--chromium", try PeerPaths.path(of: .chromium), "--url", "http://127.0.0.1:\(daemon.port)",
                    "--folder", folder.path,
                ], environment: ["TOKEN": TollgateDaemon.adminToken, "WEBHOOK_TOKEN": Self.webhookToken],
                folder: folder
            ) { browser in
                try await daemon.running { _ in
                    try folder.write("", to: "ready")
                    try await browser.wait(for: "the wish to stop the server", within: .seconds(600)) {
                        Self.exists("stop", in: folder)
                    }
                }
                try folder.write("", to: "stopped")
                try await browser.wait(for: "the wish to start the server", within: .seconds(600)) {
                    Self.exists("start", in: folder)
                }
                try await daemon.running { _ in
                    try folder.write("", to: "started")
                    let status = try await Eventually.value("the walk to end", within: .seconds(900)) {
                        browser.exitStatus
                    }
                    #expect(status == 0, "\(browser.output.suffix(4000))")
                }
            }
        }
    }

    private static func exists(_ name: String, in folder: TemporaryDirectory) -> Bool {
        FileManager.default.fileExists(atPath: folder.path(name))
    }
}
