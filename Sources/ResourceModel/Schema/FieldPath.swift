// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Where in a document a value stands: `spec.issuers[0].leeway`.
package struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    /// One step down.
    package enum Step: Sendable, Hashable {
        /// Into the member of that name.
        case member(String)
        /// Into the element of that index.
        case element(Int)
    }

    /// The steps from the root; empty for the document itself.
    package var steps: [Step]

    /// Takes the steps from the root.
    package init(_ steps: [Step] = []) { self.steps = steps }

    /// The path of a member of this value.
    package func member(_ name: String) -> FieldPath { FieldPath(steps + [.member(name)]) }

    /// The path of an element of this value.
    package func element(_ index: Int) -> FieldPath { FieldPath(steps + [.element(index)]) }

    /// Dotted text; names that hold other bytes than letters, digits, `-` and `_` stand in brackets and quotes.
    package var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .element(let index): text += "[\(index)]"
            case .member(let name) where Self.isPlain(name): text += text.isEmpty ? name : "." + name
            case .member(let name): text += "[\"\(name)\"]"
            }
        }
        return text
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
                default: false
                }
            }
    }
}
