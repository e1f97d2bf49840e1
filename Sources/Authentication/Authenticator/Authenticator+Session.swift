// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

// MARK: - Sessions

extension Authenticator {
    /// The session that a request to the own API names by its cookie; nil where it has none, or another credential goes first.
    ///
    /// - Returns: the text of the cookie, whatever it is.
    package func sessionID(_ request: AuthenticationRequest) -> String? {
        guard request.surface == .ownAPI, request.describedCredential == nil,
            let text = SessionCookie.value(in: request.headers)
        else { return nil }
        var bare = request
        bare.clientCertificate = nil
        bare.sessionCredential = nil
        guard case .none = extract(bare) else { return nil }
        return text
    }

    /// A session is over with its credential, whyever that is refused. That says nothing about guessing, so nobody is counted.
    func ofSession(_ outcome: AuthenticationOutcome, _ credential: Credential) -> AuthenticationOutcome {
        guard credential.source == .session, case .refused(let refusal, _) = outcome, refusal.status == 401 else {
            return outcome
        }
        return .refused(Refusal(.authSessionExpired), identity: nil)
    }
}
