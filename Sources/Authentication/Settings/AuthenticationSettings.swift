// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The settings of authentication, read and checked.
package struct AuthenticationSettings: Sendable {
    /// Where service tokens are kept.
    package enum TokenBackend: String, Sendable, CaseIterable {
        case sqlite, postgres, inmemory
    }

    package var mode: AuthMode
    package var adminToken: Redacted<String>?
    package var bootstrap: BootstrapSettings?
    /// Nil = the product's own store.
    package var tokenBackend: TokenBackend?
    /// Nil = `service_tokens.sqlite` beside the product's store. A leading `~` is not expanded yet.
    package var tokenDatabasePath: String?
    /// The issuers that the settings name, at most two.
    package var issuers: [IssuerEntry]
    /// Which tokens the cluster judges for the own API and for AuthConfigs without issuers; nil = none.
    package var tokenReview: TokenReviewPolicy?
    /// The audiences of AuthConfigs that name none.
    package var tokenReviewAudiences: [String]
    package var keySets: KeySetSettings
    package var limits: FailureLimitSettings
    package var trustedProxies: [CIDR]
    package var egressAllow: [String]
    package var prefixes: TokenPrefixes
    /// What a person should know although the start goes on.
    package var warnings: [AuthenticationSettingsProblem]

    /// Whether a credential besides admin and bootstrap token is configured.
    package var configuresIssuers: Bool { !issuers.isEmpty }

    /// Reads the settings from their texts by name; blank texts count as absent, names of other settings are ignored.
    ///
    /// - Returns: the settings, or everything that is wrong with them.
    package static func parse(_ texts: [String: String]) -> Result<
        AuthenticationSettings, AuthenticationSettingsProblems
    > {
        var reader = AuthenticationSettingsReader(texts)
        let settings = reader.settings()
        return reader.problems.isEmpty
            ? .success(settings) : .failure(AuthenticationSettingsProblems(problems: reader.problems))
    }
}

/// One setting that cannot be used, or should not be.
package struct AuthenticationSettingsProblem: Sendable, Hashable {
    /// The name of the setting.
    package let setting: String
    /// What is wrong and what to do; never the value of a secret.
    package let message: String

    package init(setting: String, message: String) {
        self.setting = setting
        self.message = message
    }
}

/// Everything that stops the start.
package struct AuthenticationSettingsProblems: Error, Sendable, CustomStringConvertible {
    package let problems: [AuthenticationSettingsProblem]

    package var description: String { problems.map { "\($0.setting): \($0.message)" }.joined(separator: "; ") }
}
