// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Testing

@Suite struct AccountTableTests {
    @Test func unknownAccountsAreOnTheFallbackPlan() {
        let free = AccountState(plan: "free", isSubscribed: false, rate: RequestRate(minute: 30), apiKeys: 2)
        let pro = AccountState(plan: "pro", isSubscribed: true, rate: RequestRate(minute: 120), apiKeys: 10)
        let table = AccountTable(states: ["acme": pro], fallback: free)
        #expect(table.state(of: "acme") == pro)
        #expect(table.state(of: "nobody") == free)
    }
}
