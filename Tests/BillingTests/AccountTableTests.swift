// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import Testing

@Suite struct AccountTableTests {
    @Test func unknownAccountsAreOnTheFallbackPlan() {
        let free = AccountState(plan: "free", isSubscribed: false, rate: RequestRate(minute: 30), apiKeys: 2)
        let pro = AccountState(plan: "pro", isSubscribed: true, rate: RequestRate(minute: 120), apiKeys: 10)
        let table = AccountTable(states: ["acme": pro], fallback: free)
        #expect(table.state(of: "acme") == pro)
        #expect(table.state(of: "nobody") == free)
    }

    @Test func aBudgetThatThrottlesDividesRatesByTenUntilItsWindowEnds() {
        let free = AccountState(plan: "free", isSubscribed: false, rate: RequestRate(minute: 30), apiKeys: 2)
        var pro = AccountState(
            plan: "pro", isSubscribed: true, rate: RequestRate(minute: 120, hour: 5, day: 0),
            accountRate: RequestRate(minute: 99), apiKeys: 10)
        pro.throttledUntil = Timestamp(seconds: 100)
        let table = AccountTable(states: ["acme": pro], fallback: free)
        let during = table.state(of: "acme", at: Timestamp(seconds: 99))
        #expect(during.rate == RequestRate(minute: 12, hour: 1, day: 0))
        #expect(during.accountRate == RequestRate(minute: 9))
        #expect(table.state(of: "acme", at: Timestamp(seconds: 100)).rate == pro.rate)
        // What follows a subscription that ends in the meantime is throttled, too.
        pro.validUntil = Timestamp(seconds: 50)
        let ended = AccountTable(states: ["acme": pro], fallback: free)
        #expect(ended.state(of: "acme", at: Timestamp(seconds: 60)).rate == RequestRate(minute: 3))
    }
}
