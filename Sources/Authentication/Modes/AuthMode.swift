// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Whether requests to workloads need a credential.
package enum AuthMode: String, Sendable, CaseIterable {
    /// Good credentials are honoured, everything else is anonymous.
    case disabled
    /// A credential is needed as soon as any is configured.
    case optional
    case required

    /// Reads a mode in any case, trimmed; nil for anything else.
    package init?(text: String) { self.init(rawValue: ASCII.lowercased(ASCII.trimmed(text))) }

    /// The mode that is in force: `disabled` is not, where the product is exposed to the public.
    ///
    /// - Parameter origins: the public URL and the allowed CORS origins.
    package func effective(origins: [String]) -> AuthMode {
        self == .disabled && origins.contains(where: PublicHost.isPublic) ? .required : self
    }
}
