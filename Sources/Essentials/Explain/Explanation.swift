// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What can be said about one step of a decision: what was compared with what, and what to change.
package struct Explanation: Sendable, Hashable {
    /// Whose business a line is. A line is only shown to somebody who may know it.
    package enum Owner: Sendable, Hashable, CaseIterable {
        /// What whoever asks has said itself: the request, the text of a credential.
        case asker
        /// What is known of the caller that is judged: its record, roles, shares and counters.
        case caller
        /// What the AuthConfig says that covers the host.
        case host
        /// What belongs to the installation as a whole.
        case installation
    }

    /// One line of text. Never holds token text, a secret or a digest.
    package struct Line: Sendable, Hashable {
        package let owner: Owner
        package let text: String

        package init(_ owner: Owner, _ text: String) {
            self.owner = owner
            // A line is one line, whatever a name in it says.
            self.text = String(
                String.UnicodeScalarView(
                    text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        }
    }

    /// What was compared with what.
    package private(set) var compared: [Line] = []
    /// What to change so that the step passes.
    package private(set) var remedies: [Line] = []

    /// Nothing to say.
    package init() {}

    /// One line.
    package init(_ owner: Owner, _ text: String) { say(owner, text) }

    /// Adds what was compared.
    package mutating func say(_ owner: Owner, _ text: String) { compared.append(Line(owner, text)) }

    /// Adds what to change; nothing for nil.
    package mutating func mend(_ owner: Owner, _ text: String?) {
        if let text { remedies.append(Line(owner, text)) }
    }

    /// This with all of another.
    package func adding(_ other: Explanation) -> Explanation {
        var sum = self
        sum.compared += other.compared
        sum.remedies += other.remedies
        return sum
    }
}
