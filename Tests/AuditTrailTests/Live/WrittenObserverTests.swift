// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import Testing

@testable internal import AuditTrail

@Suite struct WrittenObserverTests {
    /// Were something added to the listener at each batch, so many would take hours, or no stack would be deep enough.
    @Test(.timeLimit(.minutes(2))) func isAsItWasAfterManyBatches() {
        let observer = WrittenObserver()
        observer.tell([])
        observer.listen { _ in Self.count.add(1, ordering: .relaxed) }
        for _ in 0..<500_000 { observer.tell([]) }
        #expect(Self.count.load(ordering: .relaxed) == 500_000)
    }

    private static let count = Atomic<Int>(0)
}
