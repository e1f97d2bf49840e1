// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The rules of one AuthConfig, compiled. They only narrow: every deny rule that matches refuses, and where there are allow rules one must
/// match. Immutable, one reference to pass on.
package final class RuleSet: Sendable {
    struct Rule: Sendable {
        let name: String
        let denies: Bool
        let conditions: [RuleCondition]
        /// `denied by rule <name>`.
        let reason: String
    }

    /// Reason where there are allow rules and none matches.
    package static let noAllowRule = "no allow rule matched"

    let rules: [Rule]
    private let hasAllowRules: Bool

    /// Reads `spec.policy.rules`.
    ///
    /// - Throws: every problem at once, each with the path of its field below `rules`.
    package convenience init(document: [JSONValue]) throws(RuleSetError) {
        var reader = RuleReader()
        let rules = reader.read(document)
        guard reader.problems.isEmpty else { throw RuleSetError(problems: reader.problems) }
        self.init(rules: rules)
    }

    private init(rules: [Rule]) {
        self.rules = rules
        hasAllowRules = rules.contains { !$0.denies }
    }

    /// Names of the rules that match, in list order, for those who want to know why.
    package func matching(_ question: PolicyQuestion) -> [String] {
        rules.filter { matches($0, question) }.map(\.name)
    }

    /// Why the rules refuse; empty when they do not.
    func reasons(_ question: PolicyQuestion) -> [String] {
        var reasons: [String] = []
        var isAllowed = !hasAllowRules
        for rule in rules {
            if !rule.denies, isAllowed { continue }
            guard matches(rule, question) else { continue }
            if rule.denies { reasons.append(rule.reason) } else { isAllowed = true }
        }
        if !isAllowed { reasons.append(Self.noAllowRule) }
        return reasons
    }

    private func matches(_ rule: Rule, _ question: PolicyQuestion) -> Bool {
        rule.conditions.allSatisfy { $0.holds(question, denies: rule.denies) }
    }
}

/// One fault of a list of rules.
package struct RuleProblem: Sendable, Hashable {
    /// The field below the list: `[2].when[0].value`; empty for the list itself.
    package let path: String
    /// What is wrong and what to write instead.
    package let message: String

    /// `spec.policy.rules[2].when[0].value: …`
    package func text(below field: String) -> String { "\(field)\(path): \(message)" }
}

/// The rules of an AuthConfig are not usable: nothing of them is in force.
package struct RuleSetError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Every fault in the order of the list.
    package let problems: [RuleProblem]

    package var description: String { problems.map { $0.text(below: "rules") }.joined(separator: "; ") }
}
