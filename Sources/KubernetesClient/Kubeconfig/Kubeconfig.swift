// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation

/// The files with which people reach their clusters.
///
/// Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
package struct Kubeconfig {
    private var files: [KubeconfigFile]

    /// Reads files whose definitions are merged: the first definition of a name wins, and the first current context.
    ///
    /// - Parameters:
    ///   - path: the file that was asked for by name. Without one: those of `KUBECONFIG`, else `~/.kube/config`.
    ///   - environment: for `KUBECONFIG` and `HOME`.
    /// - Throws: `missingFile`, `unreadableFile`, `malformedFile`.
    package init(path: String?, environment: [String: String]) throws(ClusterConnectionError) {
        files = []
        if let path {
            files.append(try KubeconfigFile(bytes: ClusterFile.read(path, field: "--kubeconfig"), path: path))
            return
        }
        let list = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        let isDefault = list.isEmpty
        let paths = isDefault ? environment["HOME"].map { ["\($0)/.kube/config"] } ?? [] : list
        for path in paths {
            // As kubectl does: a file of the list that is not there is left out.
            guard let bytes = try Self.bytes(path) else { continue }
            files.append(try KubeconfigFile(bytes: bytes, path: path))
        }
        guard !files.isEmpty else {
            throw ClusterConnectionError(
                .missingFile,
                isDefault
                    ? "there is no \(paths.first ?? "~/.kube/config") and KUBECONFIG is not set: name a kubeconfig with --kubeconfig FILE"
                    : "none of the files of KUBECONFIG is there (\(list.joined(separator: ", "))): mend the list")
        }
    }

    /// Takes the text of one file.
    package init(bytes: [UInt8], path: String) throws(ClusterConnectionError) {
        files = [try KubeconfigFile(bytes: bytes, path: path)]
    }

    /// The names of the contexts, in the order of the files.
    package var contextNames: [String] {
        var names: [String] = []
        for entry in files.flatMap(\.contexts) where !names.contains(entry.name) { names.append(entry.name) }
        return names
    }

    /// The connection that a context stands for.
    ///
    /// - Parameter context: nil = the current one.
    /// - Throws: `unknownName`, `badField`, `unsupported`, `missingFile`, `unreadableFile`.
    package func connection(context: String?) throws(ClusterConnectionError) -> ClusterConnection {
        let current = files.first { $0.currentContext != nil }?.currentContext
        guard let name = context ?? current else {
            throw ClusterConnectionError(
                .unknownName,
                "\(places): current-context is not set: choose one with --context (\(shown(contextNames)))")
        }
        guard let found = files.lazy.flatMap(\.contexts).first(where: { $0.name == name }) else {
            throw ClusterConnectionError(
                .unknownName,
                "\(places): there is no context \"\(name.prefix(128))\": choose one of \(shown(contextNames))")
        }
        guard let clusterName = try found.text("cluster") else {
            throw found.fault("cluster", "is missing: name one of clusters")
        }
        guard let cluster = files.lazy.flatMap(\.clusters).first(where: { $0.name == clusterName }) else {
            throw found.fault(
                "cluster", "there is no cluster \"\(clusterName.prefix(128))\": name one of clusters", .unknownName)
        }
        var connection = try KubeconfigCluster.connection(cluster)
        connection.namespace = try found.text("namespace")
        guard let userName = try found.text("user") else { return connection }
        guard let user = files.lazy.flatMap(\.users).first(where: { $0.name == userName }) else {
            throw found.fault("user", "there is no user \"\(userName.prefix(128))\": name one of users", .unknownName)
        }
        try KubeconfigUser.apply(user, to: &connection)
        return connection
    }

    private var places: String { files.map(\.path).joined(separator: ", ") }

    private func shown(_ names: [String]) -> String {
        names.isEmpty ? "there are none" : names.prefix(20).joined(separator: ", ")
    }

    private static func bytes(_ path: String) throws(ClusterConnectionError) -> [UInt8]? {
        do {
            return try DurableFile.read(path, limit: ClusterFile.maximumBytes)
        } catch {
            throw ClusterConnectionError(
                .unreadableFile, "\(error): a kubeconfig must be readable and no larger than 1 MiB")
        }
    }
}
