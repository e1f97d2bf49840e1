// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A pattern is not usable.
package struct PatternError: Error, Sendable, Hashable {
    package enum Code: String, Sendable {
        /// Longer than 256 characters, or too large when its repetitions are written out.
        case tooLarge
        /// Part of other dialects: look-around, references back, flags, anchors inside.
        case notSupported
        /// Not well formed.
        case malformed
    }
    package let code: Code
    /// What is wrong, with the place counted in characters from 1.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
