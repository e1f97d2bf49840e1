// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong with an object: where, what stands there (its shape, never its text), and how to mend it.
package struct FieldProblem: Sendable, Hashable, CustomStringConvertible {
    /// Where it stands, from the root of the object.
    package let location: FieldPath
    /// What is there and what is wanted.
    package let message: String

    /// Takes a place and a message.
    package init(_ location: FieldPath, _ message: String) {
        self.location = location
        self.message = message
    }

    /// The place as text.
    package var path: String { location.description }

    package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
