// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why Tollgate does not start: a setting or a file, and the mend. Shown on stderr; the exit code is 1.
struct StartupProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
