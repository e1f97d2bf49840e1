// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Subprocess

/// Runs credential plugins.
struct ExecPluginRunner: Sendable {
    private static let maximumOutputBytes = 1 << 18
    private static let maximumErrorBytes = 1 << 14
    private static let shownErrorBytes = 200

    /// How long one run may take.
    var limit = Duration.seconds(60)
    var time: any MonotonicClock
    /// What a plugin that asks for it is told about the cluster.
    var cluster: JSONValue?

    private enum Ending: Sendable {
        case ended(isSuccess: Bool, status: String, output: [UInt8], errors: [UInt8])
        case failed(ExecPluginError)
        case tooLate
    }

    /// Runs the program and reads its credential.
    func run(_ plugin: ExecPlugin) async throws(ExecPluginError) -> ExecCredentialDocument.Answer {
        guard plugin.interactiveMode != .always else {
            throw ExecPluginError(
                .notStarted,
                "the credential plugin \(plugin.command) has interactiveMode Always, and there is nobody to ask: use a plugin that needs no terminal"
            )
        }
        let ending = await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await execute(plugin) }
            group.addTask { [time, limit] in
                do {
                    try await time.pause(for: limit)
                    return .tooLate
                } catch { return nil }
            }
            var first: Ending?
            // The program is killed when its task is cancelled, so the group ends with it.
            while first == nil, let next = await group.next() { first = next }
            group.cancelAll()
            return first
        }
        guard !Task.isCancelled, let ending else {
            throw ExecPluginError(.cancelled, "the credential plugin was interrupted")
        }
        switch ending {
        case .tooLate:
            throw ExecPluginError(
                .timedOut, "the credential plugin \(plugin.command) took longer than \(limit.wholeSeconds) s")
        case .failed(let error): throw error
        case .ended(let isSuccess, let status, let output, let errors):
            guard isSuccess else {
                throw ExecPluginError(
                    .failed, "the credential plugin \(plugin.command) ended with \(status)\(Self.shown(errors))")
            }
            return try ExecCredentialDocument.answer(output, of: plugin)
        }
    }

    @concurrent
    private func execute(_ plugin: ExecPlugin) async -> Ending? {
        var changes: [Environment.Key: String?] = [
            "KUBERNETES_EXEC_INFO": ExecCredentialDocument.info(for: plugin, cluster: cluster)
        ]
        for variable in plugin.environment {
            guard let key = Environment.Key(rawValue: variable.name) else { continue }
            changes[key] = variable.value
        }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
        do {
            let executable = try await Self.executable(plugin.command)
            let result = try await Subprocess.run(
                executable, arguments: Arguments(plugin.arguments), environment: .inherit.updating(changes),
                platformOptions: options, input: .none, output: .bytes(limit: Self.maximumOutputBytes),
                error: .bytes(limit: Self.maximumErrorBytes))
            return .ended(
                isSuccess: result.terminationStatus.isSuccess, status: result.terminationStatus.description,
                output: result.standardOutput, errors: result.standardError)
        } catch is CancellationError {
            return nil
        } catch {
            let hint = plugin.installHint.map { " (\($0.prefix(512)))" } ?? ""
            return .failed(
                ExecPluginError(.notStarted, "the credential plugin \(plugin.command) cannot be run: \(error)\(hint)"))
        }
    }

    /// A path names one file; a name is looked for along PATH.
    private static func executable(_ command: String) async throws -> Executable {
        guard let slash = command.lastIndex(of: "/") else { return .name(command) }
        let folder = slash == command.startIndex ? "/" : String(command[..<slash])
        return .path(
            try await Executable.name(String(command[command.index(after: slash)...]))
                .resolveExecutablePath(in: .custom(["PATH": folder])))
    }

    /// The beginning of what it wrote for people, on one line.
    private static func shown(_ errors: [UInt8]) -> String {
        let text = errors.prefix(shownErrorBytes).map { (0x20...0x7E).contains($0) ? $0 : 0x20 }
        let words = ASCII.trimmed(String(decoding: text, as: UTF8.self))
        return words.isEmpty ? "" : ": \(words)"
    }
}
