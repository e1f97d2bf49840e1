// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Why a value is not a set of texts.
package enum TextRuleFault: String, Error, Sendable, Hashable {
    /// More than 256 different members.
    case tooManyMembers
    /// A member of more than 256 bytes.
    case memberTooLong
    /// Lists and objects inside each other more than 8 deep.
    case tooDeep
}
