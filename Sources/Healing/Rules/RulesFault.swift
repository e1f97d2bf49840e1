// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong with a rules file.
package struct RulesFault: Sendable, Hashable, CustomStringConvertible {
    /// One step down into the document.
    package enum Step: Sendable, Hashable {
        case member(String)
        case element(Int)
    }

    /// From the root of the document.
    package let steps: [Step]
    package let message: String

    /// Takes both.
    package init(_ steps: [Step], _ message: String) {
        self.steps = steps
        self.message = message
    }

    /// `rules[3].action.type`; `document` for the whole.
    package var field: String {
        var text = ""
        for step in steps {
            switch step {
            case .member(let name): text += text.isEmpty ? name : ".\(name)"
            case .element(let index): text += "[\(index)]"
            }
        }
        return text.isEmpty ? "document" : text
    }

    package var description: String { "\(field): \(message)" }
}

/// Everything that is wrong with a rules file.
package struct RulesError: Error, Sendable, Hashable, CustomStringConvertible {
    /// At least one, in the order of the document.
    package let faults: [RulesFault]

    /// Takes the faults.
    package init(_ faults: [RulesFault]) { self.faults = faults }

    package var description: String { faults.map(\.description).joined(separator: "; ") }
}
