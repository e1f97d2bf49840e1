// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A secret that cannot reach a log, an error or a dump by accident: every textual form of it is `[REDACTED]`.
package struct Redacted<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The secret itself. Reading it is the one place where a reviewer has to look.
    package let revealed: Value

    /// Wraps a secret.
    package init(_ value: Value) { revealed = value }

    package var description: String { "[REDACTED]" }
    package var debugDescription: String { "[REDACTED]" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Redacted: Equatable where Value: Equatable {}
