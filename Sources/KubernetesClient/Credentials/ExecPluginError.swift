// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a credential plugin gave no credential.
struct ExecPluginError: Error, Sendable, Equatable {
    /// What a caller acts on.
    enum Code: String, Sendable {
        /// The program is not there or cannot be started.
        case notStarted
        /// It ended with a fault.
        case failed
        case timedOut
        /// What it printed is no credential.
        case malformedAnswer
        case cancelled
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
