// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What explanations say about the credential of a request: which it is, and what it was compared with.
package struct CredentialReport: Sendable, Hashable {
    /// To whom the credential belongs, as far as it was proved.
    package enum Holder: Sendable, Hashable {
        /// There is no credential, or nothing of it was proved: nobody's data is in the report.
        case nobody
        /// A record or a proved token, of this tenant or of none.
        case tenant(String?)
    }

    package var explanation = Explanation()
    package var holder = Holder.nobody

    /// The text, cut where it is longer than anything that a person reads.
    static func shown(_ text: String) -> String {
        text.unicodeScalars.count <= 128 ? text : String(text.unicodeScalars.prefix(128)) + "…"
    }

    /// `a, b, c`, or `none`.
    static func list(_ texts: some Sequence<String>) -> String {
        let all = Array(texts)
        return all.isEmpty ? "none" : shown(all.joined(separator: ", "))
    }
}
