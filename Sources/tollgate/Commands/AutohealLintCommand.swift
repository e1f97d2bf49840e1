// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials
internal import Healing
internal import ManifestFiles

/// `tollgate autoheal lint`
struct AutohealLintCommand: ContextualCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Check a healing rules file.",
        discussion: "Prints file:line: field: message. Exit status: 0 valid, 1 not.")

    @Option(name: [.customShort("f"), .customLong("file")], help: ArgumentHelp("The rules file.", valueName: "RULES"))
    var file: String

    @Option(
        help: ArgumentHelp(
            "A Prometheus rules file (or PrometheusRule object): every alert that a rule names must be defined there and opt in.",
            valueName: "FILE"))
    var prometheusRules: String?

    func run(in context: CommandContext) async throws {
        var problems: [String] = []
        do {
            let document = try RulesFile.document(try ToolFiles.read(file, in: context), name: file)
            let rules = try RulesFile.rules(in: document, name: file)
            if let prometheusRules {
                let alerts = try PrometheusAlerts.read(
                    try ToolFiles.read(prometheusRules, in: context), prometheusRules)
                problems = Self.problems(rules, alerts, in: document, file: file, alertsFile: prometheusRules)
            }
            if problems.isEmpty {
                context.output.line("\(rules.rules.count) rules are valid")
                return
            }
        } catch let problem as RulesFileProblem {
            problems = problem.lines
        }
        for problem in problems { context.output.line(problem) }
        throw CommandFailure(.otherFault, problems.count == 1 ? "1 problem" : "\(problems.count) problems")
    }

    private static func problems(
        _ rules: HealingRules, _ alerts: [String: Bool], in document: YAMLDocument, file: String, alertsFile: String
    ) -> [String] {
        rules.rules.enumerated().flatMap { index, rule in
            rule.alertNames.enumerated().compactMap { place, name -> String? in
                let message: String
                switch alerts[name] {
                case .none: message = "alert \(name) is not defined in \(alertsFile)"
                case .some(false):
                    message = "alert \(name) never opts in: give it the label or annotation autoheal: \"true\""
                case .some(true): return nil
                }
                var steps: [RulesFault.Step] = [
                    .member("rules"), .element(index), .member("match"), .member("alertname"),
                ]
                // One name may stand there without a list.
                let names = document.value["rules"]?.arrayValue?[index]["match"]?["alertname"]
                if names?.arrayValue != nil { steps.append(.element(place)) }
                let fault = RulesFault(steps, message)
                return "\(file):\(RulesFile.line(of: fault, in: document)): \(fault.field): \(fault.message)"
            }
        }
    }
}

/// The alerts of a Prometheus rules file.
enum PrometheusAlerts {
    /// Whether each alert opts in to healing, by its name.
    ///
    /// - Throws: `RulesFileProblem`.
    static func read(_ bytes: [UInt8], _ name: String) throws(RulesFileProblem) -> [String: Bool] {
        let documents: [YAMLDocument]
        do {
            documents = try YAMLReader.parse(bytes)
        } catch {
            throw RulesFileProblem(["\(name):\(error.line): \(error.message)"])
        }
        var alerts: [String: Bool] = [:]
        var hasGroups = false
        for document in documents {
            let root = document.value["groups"] ?? document.value["spec"]?["groups"]
            guard let groups = root?.arrayValue else { continue }
            hasGroups = true
            for rule in groups.flatMap({ $0["rules"]?.arrayValue ?? [] }) {
                guard let alert = rule["alert"]?.stringValue else { continue }
                alerts[alert] = alerts[alert] ?? false || says(rule["labels"]) || says(rule["annotations"])
            }
        }
        guard hasGroups else { throw RulesFileProblem(["\(name):1: groups: expected a list of rule groups"]) }
        return alerts
    }

    private static func says(_ members: JSONValue?) -> Bool {
        members?["autoheal"]?.stringValue.map { ASCII.lowercased($0) == "true" } ?? false
    }
}
