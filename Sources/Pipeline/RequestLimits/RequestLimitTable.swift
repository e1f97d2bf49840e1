// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Essentials
internal import RuntimeState

/// Which limits a request has to keep.
enum RequestLimitTable {
    /// Whether any limit can apply. It may say yes too often, never no.
    static func mayLimit(_ principal: Principal, config: CompiledAuthConfig, accounts: AccountTable) -> Bool {
        config.rate != nil || principal.authSource == .apiKey
            || (!accounts.isEmpty && (principal.accountID ?? principal.tenantID) != nil)
    }

    /// The limits of a request: of its key, or of its account and subject; of its account; of its AuthConfig.
    static func limits(
        _ principal: Principal, config: CompiledAuthConfig, accounts: AccountTable, now: Timestamp
    ) -> [RequestLimit] {
        var limits: [RequestLimit] = []
        func add(_ key: @autoclosure () -> RequestLimitKey, _ rate: RequestRate?) {
            guard let rate, !rate.isUnlimited else { return }
            limits.append(RequestLimit(key: key(), rate: rate))
        }
        let account = principal.accountID ?? principal.tenantID
        if principal.authSource == .apiKey {
            // A key without an account of its own is limited as one of an account that nobody knows.
            let state = account.map { accounts.state(of: $0, at: now) } ?? accounts.fallback
            add(.apiKey(principal.tokenID ?? principal.subject), state.rate)
            if let account { add(.account(account), state.accountRate) }
        } else if let account {
            let state = accounts.state(of: account, at: now)
            if state.isSubscribed {
                add(.subject(account: account, subject: principal.subject), state.rate)
                add(.account(account), state.accountRate)
            }
        }
        add(.authConfig(config.key), config.rate)
        return limits
    }
}
