// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization
internal import Testing

@Suite struct ChangeHookTests {
    @Test func tellsTheLastWhoListens() {
        let (first, last) = (Counter(), Counter())
        let hook = ChangeHook()
        hook.call()
        hook.listen { first.add() }
        hook.call()
        hook.listen { last.add() }
        hook.call()
        hook.call()
        #expect(first.value == 1)
        #expect(last.value == 2)
    }

    /// Were something added to the listener at each call, so many would take hours, or no stack would be deep enough.
    @Test(.timeLimit(.minutes(2))) func isAsItWasAfterManyCalls() {
        let counter = Counter()
        let hook = ChangeHook()
        hook.listen { counter.add() }
        for _ in 0..<500_000 { hook.call() }
        #expect(counter.value == 500_000)
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)

        var value: Int { count.load(ordering: .relaxed) }

        func add() { count.add(1, ordering: .relaxed) }
    }
}
