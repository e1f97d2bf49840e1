// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Texts for people that may not grow beyond what whoever keeps them takes.
package enum BoundedText {
    /// The text, or its beginning with an ellipsis where it is longer than that many bytes of UTF-8; no character is cut in two.
    package static func cut(_ text: String, bytes: Int) -> String {
        guard text.utf8.count > bytes else { return text }
        var kept = text.prefix(max(0, bytes - 3))
        while kept.utf8.count > bytes - 3 { kept.removeLast() }
        return kept + "…"
    }
}
