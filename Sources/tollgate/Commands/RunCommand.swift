// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import AuditTrail
internal import Essentials
internal import KubernetesClient

/// `tollgate run`
struct RunCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the server, on a cluster or on directories of manifests.",
        discussion: "Every setting comes from a flag, the environment or the settings file; see `tollgate settings`.")

    @Option(name: .long, help: "File or directory of manifests, watched; may be repeated.")
    var manifests: [String] = []

    @Option(help: "Kubeconfig of the cluster to run on, from outside of it.")
    var kubeconfig: String?

    @Option(help: "Context of the kubeconfig; its current one unless named.")
    var context: String?

    @Option(help: "Settings file (TOML).")
    var settings: String?

    @Option(help: ArgumentHelp("A setting, except secrets; may be repeated.", valueName: "NAME=VALUE"))
    var set: [String] = []

    @Option(help: "TOLLGATE_LISTEN")
    var listen: String?

    @Option(help: "TOLLGATE_PROBE_LISTEN")
    var probeListen: String?

    @Option(help: "TOLLGATE_DATA_DIR")
    var dataDir: String?

    @Option(help: "LOG_LEVEL")
    var logLevel: String?

    @Option(help: "TOLLGATE_ROLE: all, api, worker or controller.")
    var role: String?

    @Flag(help: "TOLLGATE_DEVNET: for development, everything in memory.")
    var devnet = false

    @Flag(help: "TOLLGATE_DEVNET_IN_CLUSTER")
    var devnetInCluster = false

    func run(in context: CommandContext) async throws {
        FreedMemory.share()
        let loaded = try TollgateSettings.load(try sources(in: context), host: context.host)
        LoggingBootstrap.install(
            loaded.logging, redactor: Redactor(level: loaded.audit.trail.redaction),
            metadata: loaded.process.isDevnet ? ["devnet": "true"] : [:], output: context.errors, clock: context.clock)
        try await runServer(loaded, source: try objectSource(in: context, loaded))
    }

    /// Manifests where they are named, else the named cluster, else the operator, else the cluster around the process.
    private func objectSource(in context: CommandContext, _ loaded: TollgateSettings) throws -> ObjectSource {
        if loaded.sidecar != nil {
            guard manifests.isEmpty, kubeconfig == nil else {
                throw ValidationError(
                    "TOLLGATE_UPSTREAM and --manifests or --kubeconfig name two sources of objects: keep one")
            }
            return .upstream
        }
        // It looks at no objects, whatever it is told of them.
        if loaded.process.role == .worker { return .manifests([]) }
        if self.context != nil, kubeconfig == nil { throw ValidationError("--context needs --kubeconfig") }
        if !manifests.isEmpty {
            guard kubeconfig == nil else {
                throw ValidationError("--manifests and --kubeconfig name two sources of objects: keep one")
            }
            return .manifests(manifests)
        }
        do throws(ClusterConnectionError) {
            if let kubeconfig {
                let file = HomeDirectory.expand(kubeconfig, environment: context.environment)
                return .cluster(
                    try Kubeconfig(path: file, environment: context.environment).connection(context: self.context))
            }
            if TollgateSettings.isInCluster(context.environment) {
                return .cluster(try InClusterConfiguration.load(environment: context.environment))
            }
        } catch {
            throw StartupProblem("\(error)")
        }
        // It has objects of its own.
        if loaded.process.isDevnet { return .manifests([]) }
        throw ValidationError(
            "nothing to run on: name manifests with --manifests DIR, a cluster with --kubeconfig FILE or an operator with TOLLGATE_UPSTREAM, or run in a cluster"
        )
    }

    private func sources(in context: CommandContext) throws -> SettingsSources {
        var sources = SettingsSources(environment: context.environment)
        var problems: [SettingsProblem] = []
        if let settings {
            do {
                let bytes = try BoundedFile.read(HomeDirectory.expand(settings, environment: context.environment))
                let parsed = SettingsFile.parse(String(decoding: bytes, as: UTF8.self))
                sources.file = parsed.values
                problems += parsed.problems
            } catch {
                problems.append(SettingsProblem(setting: "--settings", message: "cannot read \(settings): \(error)"))
            }
        }
        problems += readFlags(into: &sources)
        guard problems.isEmpty else {
            // The other problems are found as well, so that all of them are told at once.
            do {
                _ = try TollgateSettings.load(sources, host: context.host)
            } catch {
                problems += error.problems
            }
            throw SettingsError(problems: problems)
        }
        return sources
    }

    private func readFlags(into sources: inout SettingsSources) -> [SettingsProblem] {
        var problems: [SettingsProblem] = []
        let known = Dictionary(
            SettingsCatalog.all.flatMap { info in ([info.name] + info.aliases).map { ($0, info) } },
            uniquingKeysWith: { first, _ in first })
        for pair in set {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                problems.append(SettingsProblem(setting: "--set", message: "expected NAME=VALUE"))
                continue
            }
            let isPointer = known[parts[0]] == nil && parts[0].hasSuffix("_FILE")
            guard let info = known[isPointer ? String(parts[0].dropLast(5)) : parts[0]] else {
                problems.append(SettingsProblem(setting: parts[0], message: "no setting has this name (--set)"))
                continue
            }
            if info.isSecret, !isPointer {
                problems.append(
                    SettingsProblem(
                        setting: info.name,
                        message:
                            "a secret on the command line is seen by others: use \(info.name)_FILE or the environment"))
                continue
            }
            sources.flags[parts[0]] = parts[1]
        }
        let named = [
            ("TOLLGATE_LISTEN", listen), ("TOLLGATE_PROBE_LISTEN", probeListen), ("TOLLGATE_DATA_DIR", dataDir),
            ("LOG_LEVEL", logLevel), ("TOLLGATE_ROLE", role), ("TOLLGATE_DEVNET", devnet ? "true" : nil),
            ("TOLLGATE_DEVNET_IN_CLUSTER", devnetInCluster ? "true" : nil),
        ]
        for (name, value) in named { if let value { sources.flags[name] = value } }
        return problems
    }
}
