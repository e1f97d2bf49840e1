// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import Healing

/// `tollgate autoheal simulate`
struct AutohealSimulateCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Show what rules would do about a webhook call.",
        discussion:
            "Decides as a live Tollgate with empty books would, with the AUTOHEAL_* settings of the environment.")

    @Option(name: [.customShort("f"), .customLong("file")], help: ArgumentHelp("The rules file.", valueName: "RULES"))
    var file: String

    @Option(
        name: .customLong("namespace"),
        help: ArgumentHelp(
            "A namespace in which targets may lie; else AUTOHEAL_NAMESPACES, else default.", valueName: "NS"))
    var namespaces: [String] = []

    @Argument(help: ArgumentHelp("The body that Alertmanager posts.", valueName: "PAYLOAD"))
    var payload: String

    func run(in context: CommandContext) async throws {
        let rules: HealingRules
        do {
            rules = try RulesFile.parse(try ToolFiles.read(file, in: context), name: file)
        } catch let problem as RulesFileProblem {
            for line in problem.lines { context.output.line(line) }
            throw CommandFailure(.otherFault, "the rules cannot be used")
        }
        let alerts: AlertPayload
        do {
            alerts = try AlertPayload.read(try ToolFiles.read(payload, in: context))
        } catch let refusal as Refusal {
            throw ToolFiles.failure(refusal)
        }
        let settings = try settings(context)
        var gates = HealingGates()
        for (index, alert) in alerts.alerts.enumerated() {
            let verdict = gates.judge(
                alert, rules: rules, settings: settings, id: String(index), at: context.clock.now())
            context.output.line("\(alert.name) \(alert.fingerprint): \(Self.words(verdict, &gates))")
        }
    }

    private func settings(_ context: CommandContext) throws -> HealingSettings {
        var reader = SettingsReader(SettingsSources(environment: context.environment))
        let healing = TollgateSettings.healing(&reader, environment: context.environment, host: context.host)
        guard reader.problems.isEmpty else { throw SettingsError(problems: reader.problems) }
        var settings = healing.gates
        settings.isEnabled = true
        settings.isDryRun = false
        let named = namespaces.isEmpty ? healing.namespaces : namespaces
        settings.namespaces = Set(named.isEmpty ? [TollgateSettings.standaloneNamespace] : named)
        return settings
    }

    /// What is decided, in words. What would be done counts for the alerts that follow.
    private static func words(_ verdict: HealingVerdict, _ gates: inout HealingGates) -> String {
        switch verdict {
        case .act(let plan), .dryRun(let plan):
            _ = gates.books.begin(BookEntry(plan: plan, isDryRun: false, state: .sending))
            return "act: \(plan.command) (rule \(plan.rule))"
        case .skip(let skip):
            var text = "skip: \(skip.reason.rawValue)"
            if let rule = skip.rule { text += " (rule \(rule))" }
            if let seconds = skip.remainingSeconds { text += ", \(seconds) s left" }
            return text
        }
    }
}
