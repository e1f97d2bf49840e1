// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A real Kubernetes control plane for a test: kube-apiserver, etcd and kube-controller-manager on free ports of 127.0.0.1
/// (`Scripts/control-plane.sh`). No pod ever runs in it.
package struct ControlPlane: Sendable {
    /// Holds certificates, tokens, etcd's data and logs while the test lasts.
    package let folder: TemporaryDirectory
    private let settings: [String: String]

    /// The kubeconfig file of its administrator, a member of `system:masters`.
    package var kubeconfig: String { folder.path("plane/kubeconfig") }

    /// Runs `body` while a new, empty control plane answers; ends it whatever happens.
    ///
    /// - Parameter settings: variables that `Scripts/control-plane.sh` names, such as `CONTROL_PLANE_APISERVER_ARGS`.
    package static func with<Value>(
        settings: [String: String] = [:], body: (ControlPlane) async throws -> Value
    ) async throws -> Value {
        let plane = ControlPlane(folder: try TemporaryDirectory(), settings: settings)
        do {
            try await plane.start()
            let value = try await body(plane)
            try await plane.stop()
            return value
        } catch {
            // The first fault is the one to tell about.
            try? await plane.stop()
            throw error
        }
    }

    /// Starts it again after `stop`, with the data and at the address that it had.
    package func start() async throws { try await act("start") }

    /// Ends every process of it and keeps the data.
    package func stop() async throws { try await act("stop") }

    /// Forgets etcd's history: a watch that resumes from before it is told that it is gone.
    package func compact() async throws { try await act("compact") }

    /// Runs the real kubectl as the administrator.
    ///
    /// - Returns: its exit status and everything it wrote.
    package func kubectl(
        _ arguments: [String], within limit: Duration = .seconds(180)
    ) async throws -> (status: Int32, output: String) {
        try await PeerProcess.run(
            name: "kubectl", executable: PeerPaths.path(of: .kubectl), arguments: arguments,
            environment: ["KUBECONFIG": kubeconfig], folder: folder, within: limit)
    }

    /// What kubectl wrote.
    ///
    /// - Throws: `PeerFault` with what it wrote when it did not end with 0.
    @discardableResult
    package func kubectlOutput(_ arguments: [String], within limit: Duration = .seconds(180)) async throws -> String {
        let (status, output) = try await kubectl(arguments, within: limit)
        guard status == 0 else {
            // On one line, because a report of a failed test shows the first.
            let said = output.split(separator: "\n").joined(separator: " | ")
            throw PeerFault(message: "kubectl \(arguments.joined(separator: " ")) ended with \(status): \(said)")
        }
        return output
    }

    private func act(_ action: String) async throws {
        let (status, output) = try await PeerProcess.run(
            name: "control-plane-\(action)", executable: PeerPaths.path(of: .controlPlane),
            arguments: [action, folder.path("plane")], environment: settings, folder: folder, within: .seconds(600))
        guard status == 0 else {
            throw PeerFault(message: "control-plane.sh \(action) ended with \(status):\n\(output)")
        }
    }
}
