// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The one credential of a request, before anything believes it.
package struct Credential: Sendable {
    /// Where it stood.
    package enum Source: String, Sendable {
        case authorization, query
        case apiKeyHeader = "x-api-key"
        case webSocketProtocol = "websocket-protocol"
        case certificate
        /// The cookie of a session; what is verified is the credential that the session was made with.
        case session
        /// The member `credential` of a decision request.
        case described
    }

    package let source: Source
    /// The token text; for a certificate, the header element or certificate text that names it.
    package let text: Redacted<String>

    package init(source: Source, text: String) {
        self.source = source
        self.text = Redacted(text)
    }
}

/// What was found when a request was searched for its credential.
package enum CredentialExtraction: Sendable {
    /// No source is present.
    case none
    case found(Credential)
    /// The first source that is present is unusable; no other is tried.
    case refused(Refusal)
}
