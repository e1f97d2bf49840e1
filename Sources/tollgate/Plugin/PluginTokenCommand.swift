// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import KubernetesClient
internal import ResourceModel

/// `kubectl tollgate token …`
struct PluginTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Rotate and revoke what a ServiceToken stands for.",
        subcommands: [PluginRotateCommand.self, PluginRevokeCommand.self])
}

/// What both need.
struct TokenChangeOptions: ParsableArguments {
    @Argument(help: "Name of the ServiceToken.")
    var name: String

    @Option(help: "How long to wait until it is done, such as 60s.")
    var wait = "0s"

    @OptionGroup var objects: ObjectOptions
    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        guard PluginName.isName(name) else { throw ValidationError("NAME: \(PluginName.expected)") }
        guard DurationText.parse(wait, plainSeconds: true) != nil else {
            throw ValidationError("--wait takes a duration such as 60s")
        }
    }

    /// Changes the object, and waits until its status says that it is done.
    ///
    /// - Parameters:
    ///   - refusal: why the object, as it is, cannot be changed so; nil when it can.
    ///   - isDone: of the object as it was before and as it is now.
    ///   - words: what is said when it is done, and when only the wish is known.
    func change(
        by patch: JSONValue, in context: CommandContext, words: (done: String, wished: String),
        refusal: (JSONValue) -> String? = { _ in nil }, isDone: (JSONValue, JSONValue) -> Bool
    ) async throws {
        let format = objects.format(in: context)
        let patience = DurationText.parse(wait, plainSeconds: true) ?? .zero
        try await ClusterSession.with(cluster, format: format, in: context) { session in
            let reference = APIObjectReference(
                .serviceTokens, namespace: objects.namespace ?? session.namespace, name: name)
            let before = try await session.api.get(reference, subresource: nil)
            if let reason = refusal(before) {
                throw CommandFailure(.otherFault, "\(reference): \(reason)", format: format)
            }
            var now = try await session.api.patch(reference, subresource: nil, .merge(patch))
            let end = context.clock.now().adding(seconds: patience.wholeSeconds)
            while !isDone(before, now), context.clock.now() < end {
                try await context.pause(.seconds(1))
                now = try await session.api.get(reference, subresource: nil)
            }
            let done = isDone(before, now)
            switch format {
            case .table: context.output.line("\(reference): \(done ? words.done : words.wished)")
            default: context.output.line(format.text(of: now))
            }
            guard done || patience == .zero else {
                throw CommandFailure(
                    .unavailable, "\(reference) is not done within \(wait): \(ResourceReadiness(now).summary)",
                    format: format)
            }
        }
    }
}

/// `kubectl tollgate token rotate`
struct PluginRotateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Have a new text written into the Secret of a ServiceToken; the old one works on for its overlap.")

    @OptionGroup var change: TokenChangeOptions

    func run(in context: CommandContext) async throws {
        let annotation: JSONValue = ["tollgate.dev/rotate": .string(context.clock.now().rfc3339)]
        try await change.change(
            by: ["metadata": ["annotations": annotation]], in: context, words: ("rotated", "will be rotated"),
            refusal: Self.refusal
        ) { before, now in
            guard let identifier = now["status"]?["identifier"]?.stringValue else { return false }
            return identifier != before["status"]?["identifier"]?.stringValue
        }
    }

    /// Nothing is minted for an object in these states, however long one waits.
    private static func refusal(_ object: JSONValue) -> String? {
        let ready = ResourceReadiness(object)
        let isFinal = ["Revoked", "NotAllowedInNamespace", "InvalidSpec", "SecretConflict"].contains(ready.reason)
        return ready.status == "False" && isFinal ? "cannot be rotated: \(ready.summary)" : nil
    }
}

/// `kubectl tollgate token revoke`
struct PluginRevokeCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke every text of a ServiceToken for good.")

    @Option(help: "Why; kept with the object.")
    var reason: String?

    @OptionGroup var change: TokenChangeOptions

    func run(in context: CommandContext) async throws {
        var spec: JSONObject = ["revoked": true]
        if let reason { spec["revocationReason"] = .string(reason) }
        try await change.change(
            by: ["spec": .object(spec)], in: context, words: ("revoked", "will be revoked")
        ) { _, now in now["status"]?["revokedAt"]?.stringValue != nil }
    }
}
