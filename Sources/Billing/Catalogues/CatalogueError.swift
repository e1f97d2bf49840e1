// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A catalogue of plans or prices that cannot be used, with everything that is wrong in it.
package struct CatalogueError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One fault.
    package struct Problem: Sendable, Hashable {
        /// Where it stands, such as `plans[1].rate.minute`.
        package let path: String
        /// What was found and what is wanted.
        package let message: String
    }

    /// In the order of the document.
    package let problems: [Problem]

    package var description: String {
        problems.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }.joined(separator: "; ")
    }
}

/// What was found wrong so far.
struct CatalogueProblems {
    private(set) var list: [CatalogueError.Problem] = []

    var isEmpty: Bool { list.isEmpty }

    mutating func report(_ path: String, _ message: String) {
        list.append(CatalogueError.Problem(path: path, message: message))
    }
}
