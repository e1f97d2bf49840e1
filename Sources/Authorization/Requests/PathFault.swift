// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Why a path is not canonical; the raw value is `details.reason` of 400 `policy.path_invalid`.
package enum PathFault: String, Error, Sendable, CaseIterable {
    case badCharacter = "bad_character"
    case fragment
    case notAbsolute = "not_absolute"
    case tooLong = "too_long"
    case badEscape = "bad_escape"
    case encodedSlash = "encoded_slash"
    case encodedPercent = "encoded_percent"
    case controlCharacter = "control_character"
    case badUTF8 = "bad_utf8"
    case tooManySegments = "too_many_segments"
    case emptySegment = "empty_segment"
    case dotSegment = "dot_segment"
    case dotParameter = "dot_parameter"

    /// 400 `policy.path_invalid` with the reason.
    package var refusal: Refusal { Refusal(.policyPathInvalid, details: ["reason": .string(rawValue)]) }
}
