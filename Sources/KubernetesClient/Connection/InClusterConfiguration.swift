// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// How a pod reaches the API server of the cluster around it.
///
/// Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
package enum InClusterConfiguration {
    /// Where the kubelet puts token, authority and namespace.
    package static let defaultFolder = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let maximumNamespaceBytes = 256

    /// Whether the environment says that there is a cluster around this process.
    package static func isPresent(environment: [String: String]) -> Bool {
        environment["KUBERNETES_SERVICE_HOST"].map { !$0.isEmpty } ?? false
    }

    /// The connection with the pod's service account.
    ///
    /// - Throws: `notInCluster` without `KUBERNETES_SERVICE_HOST`, `badField` for a port that is none, `missingFile` or `unreadableFile`
    ///   for what the service account should have.
    package static func load(
        environment: [String: String], folder: String = defaultFolder
    ) throws(ClusterConnectionError) -> ClusterConnection {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else {
            throw ClusterConnectionError(
                .notInCluster,
                "KUBERNETES_SERVICE_HOST is not set: outside of a cluster say which one with --kubeconfig FILE")
        }
        let portText = environment["KUBERNETES_SERVICE_PORT"] ?? "443"
        guard let port = UInt16(portText), port > 0 else {
            throw ClusterConnectionError(
                .badField, "KUBERNETES_SERVICE_PORT: \"\(portText.prefix(32))\" is no port: a number from 1 to 65535")
        }
        let isIPv6 = host.contains(":")
        let token = "\(folder)/token"
        let authority = "\(folder)/ca.crt"
        try requireContents(of: token)
        try requireContents(of: authority)
        return ClusterConnection(
            server: "https://\(isIPv6 ? "[\(host)]" : host):\(port)", namespace: namespace(folder: folder),
            certificateAuthority: .file(authority), credential: .tokenFile(token))
    }

    private static func requireContents(of path: String) throws(ClusterConnectionError) {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path, limit: ClusterFile.maximumBytes)
        } catch {
            throw ClusterConnectionError(.unreadableFile, "\(error): it must be readable by the user of this process")
        }
        guard let bytes, !bytes.isEmpty else {
            throw ClusterConnectionError(
                bytes == nil ? .missingFile : .unreadableFile,
                "\(path) is \(bytes == nil ? "not there" : "empty"): the pod needs automountServiceAccountToken: true")
        }
    }

    /// A pod without the file has no namespace of its own from here; its caller has other ways to learn it.
    private static func namespace(folder: String) -> String? {
        // Whatever keeps it from being read, the namespace is then not known from here.
        guard let bytes = try? DurableFile.read("\(folder)/namespace", limit: maximumNamespaceBytes) else { return nil }
        let text = ASCII.trimmed(String(decoding: bytes, as: UTF8.self))
        return text.isEmpty ? nil : text
    }
}
