// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// The root command where the binary is called `kubectl-tollgate`: the plugin of kubectl. It reaches what a cluster holds.
struct KubectlTollgate: ParsableCommand {
    /// The name of the file under which kubectl finds a plugin.
    static let fileName = "kubectl-tollgate"

    static let configuration = CommandConfiguration(
        commandName: "kubectl tollgate",
        abstract: "What Tollgate does in a cluster.",
        discussion: """
            The API server is reached as kubectl reaches it: --kubeconfig, KUBECONFIG or ~/.kube/config, and --context. \
            Tollgate is reached at --api-url, else through kubectl port-forward.
            """,
        version: ProductVersion.text,
        subcommands: [
            PluginStatusCommand.self, PluginExplainCommand.self, PluginTokenCommand.self, PluginUsageCommand.self,
            PluginAuditCommand.self, PluginScaleCommand.self, PluginReconcileCommand.self, VersionCommand.self,
        ])
}

extension CommandLineTool {
    /// The root command of a binary of that name.
    static func root(calledAs path: String) -> any ParsableCommand.Type {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name == KubectlTollgate.fileName ? KubectlTollgate.self : Tollgate.self
    }
}
