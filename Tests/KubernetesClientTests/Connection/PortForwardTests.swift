// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import KubernetesClient

@Suite(.timeLimit(.minutes(5))) struct PortForwardTests {
    @Test func readsTheLineOfKubectl() {
        #expect(PortForward.port(inLine: "Forwarding from 127.0.0.1:40123 -> 8080") == 40123)
        for line in [
            "", "Forwarding from [::1]:40123 -> 8080", "Forwarding from 127.0.0.1: -> 8080",
            "Forwarding from 127.0.0.1:70000 -> 8080", "Forwarding from 127.0.0.1:0 -> 8080",
            "Forwarding from 127.0.0.1:40123", "Forwarding from 127.0.0.1:99999999999999999999 -> 1",
            "Forwarding from 127.0.0.1:٤٠ -> 1", "Handling connection for 40123",
        ] {
            #expect(PortForward.port(inLine: line) == nil, "\(line)")
        }
    }

    @Test func namesNoPortThatCannotBe() {
        let line = Array("Forwarding from 127.0.0.1:40123 -> 8080".utf8)
        let random = SeededRandom(seed: 77)
        for _ in 0..<FuzzCases.count(2_000) {
            var changed = line
            for byte in random.bytes(3) { changed[Int(byte) % changed.count] = random.bytes(1)[0] }
            if let port = PortForward.port(inLine: String(decoding: changed, as: UTF8.self)) {
                #expect((1...65_535).contains(port))
            }
        }
    }

    /// A kubectl that does what the script says.
    private func forward(_ script: String, in folder: TemporaryDirectory) throws -> PortForward {
        let path = try folder.write("#!/bin/sh\n\(script)\n", to: "kubectl")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return PortForward(
            service: "tollgate", namespace: "gate", port: 80, selection: ["--context", "east"],
            environment: ["PATH": "\(folder.path):/usr/bin:/bin", "FOLDER": folder.path])
    }

    @Test func lendsThePortAndEndsKubectl() async throws {
        let folder = try TemporaryDirectory()
        let script = """
            echo "$@" > "$FOLDER/arguments"; echo $$ > "$FOLDER/pid"
            echo "Forwarding from 127.0.0.1:40123 -> 8080"
            exec tail -f /dev/null
            """
        let port = try await forward(script, in: folder).with(limit: .seconds(240), clock: SystemMonotonicClock()) {
            $0
        }
        #expect(port == 40123)
        let arguments = try String(contentsOfFile: folder.path("arguments"), encoding: .utf8)
        #expect(
            arguments
                == "--context east --namespace gate port-forward --address 127.0.0.1 service/tollgate :80\n")
        let id = try String(contentsOfFile: folder.path("pid"), encoding: .utf8).filter(\.isNumber)
        #expect(!FileManager.default.fileExists(atPath: "/proc/\(id)"))
    }

    @Test func passesOnWhatKubectlSays() async throws {
        let folder = try TemporaryDirectory()
        let refused = try forward("echo 'error: no pod is ready' >&2; exit 1", in: folder)
        await #expect {
            _ = try await refused.with(limit: .seconds(240), clock: SystemMonotonicClock()) { $0 }
        } throws: { "\($0)" == "kubectl port-forward does not forward: error: no pod is ready" }
    }

    @Test func givesUpOnAKubectlThatIsSilent() async throws {
        let folder = try TemporaryDirectory()
        let silent = try forward("exec tail -f /dev/null", in: folder)
        let clock = ManualMonotonicClock()
        async let outcome: String = {
            do { return "\(try await silent.with(limit: .seconds(30), clock: clock) { $0 })" } catch {
                return "\(error)"
            }
        }()
        try await Eventually.holds("the limit to count") { clock.sleepers == 1 }
        clock.advance(by: .seconds(30))
        #expect(await outcome == "kubectl port-forward does not forward within 30 s")
    }

    @Test func throwsWhatTheBodyThrows() async throws {
        struct Own: Error {}
        let folder = try TemporaryDirectory()
        let forward = try forward("echo 'Forwarding from 127.0.0.1:40123 -> 8080'; exec tail -f /dev/null", in: folder)
        await #expect(throws: Own.self) {
            try await forward.with(limit: .seconds(240), clock: SystemMonotonicClock()) { _ in throw Own() }
        }
    }

    @Test func namesAKubectlThatIsMissing() async throws {
        let folder = try TemporaryDirectory()
        let forward = PortForward(
            service: "tollgate", namespace: "gate", port: 80, selection: [], environment: ["PATH": folder.path])
        await #expect {
            _ = try await forward.with(limit: .seconds(240), clock: SystemMonotonicClock()) { $0 }
        } throws: { "\($0)".hasPrefix("kubectl cannot be run") }
    }
}
