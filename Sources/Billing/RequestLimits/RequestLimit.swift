// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Whose requests are counted together.
package enum RequestLimitKey: Sendable, Hashable {
    /// The record of an API key.
    case apiKey(String)
    /// A caller without a key, within an account.
    case subject(account: String, subject: String)
    /// All credentials of an account.
    case account(String)
    /// All callers of an AuthConfig, `namespace/name`.
    case authConfig(String)

    /// What is counted, in one word.
    package var kind: String {
        switch self {
        case .apiKey: "key"
        case .subject: "subject"
        case .account: "account"
        case .authConfig: "auth_config"
        }
    }

    /// One text for stores that know texts only; different keys have different texts.
    package var text: String {
        switch self {
        case .apiKey(let id): "k:\(id)"
        // The length keeps apart what a separator inside a name would mix up.
        case .subject(let account, let subject): "s:\(account.utf8.count):\(account):\(subject)"
        case .account(let id): "a:\(id)"
        case .authConfig(let name): "c:\(name)"
        }
    }
}

/// One limit that a request has to keep.
package struct RequestLimit: Sendable, Hashable {
    package var key: RequestLimitKey
    package var rate: RequestRate

    package init(key: RequestLimitKey, rate: RequestRate) {
        self.key = key
        self.rate = rate
    }
}
