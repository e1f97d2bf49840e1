// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// `kubectl tollgate scale`
struct PluginScaleCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: ClusterScaleCommand.configuration.abstract)

    @OptionGroup var scale: ClusterScaleCommand
    @OptionGroup var access: AccessOptions

    func run(in context: CommandContext) async throws {
        let scale = scale
        try await TollgateAccess(options: access, context: context).with(scale.client) { client in
            var command = scale
            command.client = client
            try await command.run(in: context)
        }
    }
}

/// `kubectl tollgate reconcile`
struct PluginReconcileCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: ClusterReconcileCommand.configuration.abstract)

    @OptionGroup var reconcile: ClusterReconcileCommand
    @OptionGroup var access: AccessOptions

    func run(in context: CommandContext) async throws {
        let reconcile = reconcile
        try await TollgateAccess(options: access, context: context).with(reconcile.client) { client in
            var command = reconcile
            command.client = client
            try await command.run(in: context)
        }
    }
}
