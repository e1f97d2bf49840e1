// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing
internal import Essentials

/// What every store of request counts must do, whichever machine it counts on.
package struct RequestLimitContract: Sendable {
    /// Makes an empty store.
    package let makeStore: @Sendable () -> any RequestLimitStore

    package init(makeStore: @escaping @Sendable () -> any RequestLimitStore) { self.makeStore = makeStore }

    /// A store that does not keep the contract.
    package struct Broken: Error, CustomStringConvertible {
        package let description: String
    }

    private func hold(_ condition: Bool, line: UInt = #line) throws {
        guard !condition else { return }
        throw Broken(description: "what line \(line) of the contract says does not hold")
    }

    private static let start = Timestamp(seconds: 1_772_366_400)

    /// Runs all of it.
    package func check() async throws {
        try await countsEachKeyByItself()
        try await tellsWindowsAndRealWaits()
        try await aRefusedRequestCountsNowhere()
        try await givesBack()
        try await looksWithoutCounting()
        try await isExactUnderLoad()
    }

    private static func limit(_ id: String, _ minute: Int64?, _ hour: Int64? = nil, _ day: Int64? = nil) -> RequestLimit
    {
        RequestLimit(key: .apiKey(id), rate: RequestRate(minute: minute, hour: hour, day: day))
    }

    private func take(_ store: any RequestLimitStore, _ limits: [RequestLimit], at seconds: Int64 = 0) async throws
        -> RequestLimitAnswer
    { try await store.take(limits, at: Self.start.adding(seconds: seconds), timeLeft: .seconds(60)) }

    private func countsEachKeyByItself() async throws {
        let store = makeStore()
        try hold(try await take(store, [Self.limit("a", 1)]).isAdmitted)
        try hold(try await take(store, [Self.limit("a", 1)]).isAdmitted == false)
        try hold(try await take(store, [Self.limit("b", 1)]).isAdmitted)
        let subject = RequestLimit(key: .subject(account: "a", subject: "b:c"), rate: RequestRate(minute: 1))
        let other = RequestLimit(key: .subject(account: "a:b", subject: "c"), rate: RequestRate(minute: 1))
        try hold(try await take(store, [subject]).isAdmitted)
        try hold(try await take(store, [other]).isAdmitted)
    }

    private func tellsWindowsAndRealWaits() async throws {
        let store = makeStore()
        let limits = [Self.limit("a", 2, 3)]
        let first = try await take(store, limits)
        try hold(first.windows.map(\.remaining) == [1, 2])
        try hold(first.told?.window == .minute)
        try hold(first.told?.reset == Self.start.seconds + 60)
        _ = try await take(store, limits, at: 30)
        let refused = try await take(store, limits, at: 40)
        try hold(!refused.isAdmitted)
        try hold(refused.wait(from: Self.start.adding(seconds: 40)) == 20)
        try hold(try await take(store, limits, at: 60).isAdmitted)
        let hour = try await take(store, limits, at: 70)
        try hold(hour.told?.window == .hour)
        try hold(hour.wait(from: Self.start.adding(seconds: 70)) == 3530)
        try hold(try await take(store, limits, at: 3599).isAdmitted == false)
        try hold(try await take(store, limits, at: 3600).isAdmitted)
        try hold(try await take(makeStore(), [Self.limit("none", 0)]).wait(from: Self.start) == 60)
    }

    private func aRefusedRequestCountsNowhere() async throws {
        let store = makeStore()
        let both = [Self.limit("wide", 10), Self.limit("narrow", 1)]
        try hold(try await take(store, both).isAdmitted)
        for _ in 0..<5 { try hold(try await take(store, both).isAdmitted == false) }
        let wide = try await take(store, [Self.limit("wide", 10)])
        try hold(wide.told?.remaining == 8)
    }

    private func givesBack() async throws {
        let store = makeStore()
        let limits = [Self.limit("a", 1, 1), Self.limit("b", 1)]
        let taken = try await take(store, limits)
        await store.giveBack(limits, taken)
        let again = try await take(store, limits)
        try hold(again.isAdmitted)
        // What left the window long ago cannot be given back to anybody.
        try hold(try await take(store, limits, at: 4000).isAdmitted)
        await store.giveBack(limits, again)
        try hold(try await take(store, limits, at: 4001).isAdmitted == false)
    }

    private func looksWithoutCounting() async throws {
        let store = makeStore()
        let limits = [Self.limit("a", 1)]
        for _ in 0..<3 {
            let seen = try await store.look(limits, at: Self.start, timeLeft: .seconds(60))
            try hold(seen.isAdmitted)
            try hold(seen.told?.remaining == 1)
        }
        try hold(try await take(store, limits).isAdmitted)
        try hold(try await store.look(limits, at: Self.start, timeLeft: .seconds(60)).isAdmitted == false)
    }

    /// 64 callers at once over keys that overlap: exactly as many pass as the tightest limits allow.
    private func isExactUnderLoad() async throws {
        let store = makeStore()
        let now = Self.start
        let admitted = try await withThrowingTaskGroup(of: [Int].self) { group in
            for task in 0..<64 {
                group.addTask {
                    var counts = [0, 0]
                    for round in 0..<50 {
                        let key = (task + round) % 2
                        let limits = [Self.limit("key\(key)", 400), Self.limit("shared", 700)]
                        let answer = try await store.take(
                            key == 0 ? limits : limits.reversed(), at: now, timeLeft: .seconds(60))
                        if answer.isAdmitted { counts[key] += 1 }
                    }
                    return counts
                }
            }
            var sums = [0, 0]
            for try await counts in group { sums = [sums[0] + counts[0], sums[1] + counts[1]] }
            return sums
        }
        try hold(admitted[0] + admitted[1] == 700)
        try hold(admitted.allSatisfy { $0 <= 400 })
        let rest = try await store.look([Self.limit("shared", 700)], at: now, timeLeft: .seconds(60))
        try hold(rest.told?.remaining == 0)
    }
}
