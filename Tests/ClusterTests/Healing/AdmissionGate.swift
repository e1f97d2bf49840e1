// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport

/// Stands between the API server and its storage: asked before a Deployment of one namespace is changed, so that a test can have something happen
/// after an action was sent and before it is done.
final class AdmissionGate: Sendable {
    /// What becomes of a restart that is held at the gate; runs on an event loop.
    ///
    /// - Returns: whether it is done.
    typealias Visit = @Sendable () -> Bool

    private struct State {
        var visit: Visit?
        /// Whether it is done, by the mark that a restart leaves. The API server asks again about what it judged by an old copy.
        var verdicts: [String: Bool] = [:]
        var isSeen = false
    }

    private let state = Mutex(State())

    private init() {}

    /// How many restarts came to the gate in all.
    var visits: Int { state.withLock(\.verdicts.count) }

    /// Has the next restart meet this; those after it pass.
    func arm(_ visit: @escaping Visit) { state.withLock { $0.visit = visit } }

    /// Runs `body` while the API server asks.
    static func with(
        _ plane: RealCluster.Plane, namespace: String, _ body: (AdmissionGate) async throws -> Void
    ) async throws {
        let gate = AdmissionGate()
        let authority = try TestAuthority()
        let pair = try authority.issue(names: [], addresses: [[127, 0, 0, 1]])
        try await LoopbackHTTPServer.with(tls: pair, { gate.answer($0) }) { server in
            _ = try await plane.plane.kubectlOutput(["label", "namespace", namespace, "gate=\(namespace)"])
            let manifest = manifest(namespace, port: server.port, authority: authority.pem)
            let path = try plane.write(manifest, to: "\(namespace)-gate.yaml")
            _ = try await plane.plane.kubectlOutput(["apply", "-f", path])
            do {
                try await gate.waitUntilAsked(plane, namespace)
                try await body(gate)
                _ = try await plane.plane.kubectlOutput(["delete", "-f", path])
            } catch {
                // The first fault is the one to tell about.
                _ = try? await plane.plane.kubectlOutput(["delete", "-f", path])
                throw error
            }
        }
    }

    /// The API server reads its configuration late.
    private func waitUntilAsked(_ plane: RealCluster.Plane, _ namespace: String) async throws {
        try await Eventually.holds("the API server to ask at the gate") {
            _ = try await plane.plane.kubectlOutput([
                "-n", namespace, "label", "deployment", "--all", "--overwrite", "--dry-run=server",
                "try=\(UInt32.random(in: 0..<1_000_000))",
            ])
            return self.state.withLock(\.isSeen)
        }
    }

    private func answer(_ request: LoopbackHTTPServer.Request) -> LoopbackHTTPServer.Answer {
        // What is no review is refused, and the test sees that.
        let review = (try? JSONParser.parse(request.body))?["request"]
        let template = review?["object"]?["spec"]?["template"]
        let mark = template?["metadata"]?["annotations"]?["tollgate.dev/restartedAt"]?.stringValue
        let isRestart = review?["dryRun"] != true && template != review?["oldObject"]?["spec"]?["template"]
        let isAllowed = state.withLock { state -> Bool in
            state.isSeen = true
            guard let mark, isRestart else { return review != nil }
            if let verdict = state.verdicts[mark] { return verdict }
            let verdict = state.visit?() ?? true
            state.visit = nil
            state.verdicts[mark] = verdict
            return verdict
        }
        let answer: JSONValue = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "response": ["uid": review?["uid"] ?? .null, "allowed": .bool(isAllowed)],
        ]
        return .json(answer.jsonText)
    }

    private static func manifest(_ namespace: String, port: Int, authority: String) -> String {
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: {name: gate-\(namespace)}
        webhooks:
          - name: gate.tollgate.test
            clientConfig:
              url: https://127.0.0.1:\(port)/gate
              caBundle: \(Data(authority.utf8).base64EncodedString())
            rules: [{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}]
            namespaceSelector: {matchLabels: {gate: \(namespace)}}
            admissionReviewVersions: [v1]
            sideEffects: None
            failurePolicy: Fail
            timeoutSeconds: 30
        """
    }
}
