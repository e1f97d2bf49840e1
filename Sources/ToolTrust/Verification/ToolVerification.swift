// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What became of each check, in order; the first failure is the answer and ends the list.
package struct ToolVerification: Sendable, Hashable {
    /// One check.
    package struct Check: Sendable, Hashable {
        /// `manifest`, `key`, `key_state`, `signature`, `hash`, `limits` or `version`.
        package var name: String
        package var isGood: Bool
        /// Why it failed, or what it found.
        package var detail: String?
    }

    package internal(set) var checks: [Check] = []
    /// Why the manifest is refused; nil when every check is good.
    package internal(set) var refusal: Refusal?
    /// The manifest, where its shape is valid.
    package internal(set) var manifest: ToolManifest?
    /// The key that signed, where that is known.
    package internal(set) var keyID: String?

    init() {}

    mutating func pass(_ name: String, _ detail: String? = nil) {
        checks.append(Check(name: name, isGood: true, detail: detail))
    }

    mutating func fail(_ name: String, _ refusal: Refusal) {
        checks.append(Check(name: name, isGood: false, detail: refusal.message))
        self.refusal = refusal
    }
}

/// What is known of the newest manifest that was ever accepted for one tool.
package struct HighestVersion: Sendable, Hashable {
    package var version: SemanticVersion
    /// SHA-256 of its canonical bytes, in lower-case hex.
    package var canonicalSHA256: String

    /// Takes the parts.
    package init(version: SemanticVersion, canonicalSHA256: String) {
        self.version = version
        self.canonicalSHA256 = canonicalSHA256
    }
}
