// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Billing

/// What every queue of usage events must do.
package struct UsageQueueContract: Sendable {
    /// Makes an empty queue.
    package let makeQueue: @Sendable () -> any UsageQueue

    package init(makeQueue: @escaping @Sendable () -> any UsageQueue) { self.makeQueue = makeQueue }

    /// Runs all of it.
    package func check() async throws {
        try await handsOutInOrder()
        try await comesBackUntilItIsDone()
        try await waitsForWhatComes()
        try await burries()
        try await keepsItsBounds()
        try await losesNothingUnderLoad()
    }

    private func text(_ entries: [QueueEntry]) -> [String] {
        entries.map { String(decoding: $0.payload, as: UTF8.self) }
    }

    private func handsOutInOrder() async throws {
        let queue = makeQueue()
        try ContractBroken.hold(try await queue.take(most: 5, by: "w", waiting: .zero).isEmpty)
        for text in ["a", "b", "c"] { _ = try await queue.add(Array(text.utf8)) }
        try ContractBroken.hold(try await queue.depth() == QueueDepth(entries: 3, inWork: 0, dead: 0))
        let first = try await queue.take(most: 2, by: "w", waiting: .zero)
        try ContractBroken.hold(text(first) == ["a", "b"])
        try ContractBroken.hold(first.allSatisfy { $0.deliveries == 1 })
        try ContractBroken.hold(text(try await queue.take(most: 2, by: "v", waiting: .zero)) == ["c"])
        try ContractBroken.hold(try await queue.take(most: 2, by: "v", waiting: .zero).isEmpty)
        try ContractBroken.hold(try await queue.depth() == QueueDepth(entries: 3, inWork: 3, dead: 0))
        try await queue.done(first.map(\.id))
        try await queue.done(first.map(\.id))
        try ContractBroken.hold(try await queue.depth() == QueueDepth(entries: 1, inWork: 1, dead: 0))
    }

    private func comesBackUntilItIsDone() async throws {
        let queue = makeQueue()
        // Any bytes pass.
        let payload: [UInt8] = [0, 255, 13, 10, 36]
        _ = try await queue.add(payload)
        let taken = try await queue.take(most: 1, by: "w", waiting: .zero)
        try ContractBroken.hold(try await queue.reclaim(most: 9, by: "v", idle: .seconds(3600)).isEmpty)
        for delivery in 2...4 {
            let again = try await queue.reclaim(most: 9, by: "v", idle: .zero)
            try ContractBroken.hold(again.map(\.id) == taken.map(\.id))
            try ContractBroken.hold(again.first?.payload == payload)
            try ContractBroken.hold(again.first?.deliveries == delivery)
        }
        try await queue.done(taken.map(\.id))
        try ContractBroken.hold(try await queue.reclaim(most: 9, by: "v", idle: .zero).isEmpty)
        try ContractBroken.hold(try await queue.depth() == QueueDepth(entries: 0, inWork: 0, dead: 0))
    }

    private func waitsForWhatComes() async throws {
        let queue = makeQueue()
        try await withThrowingTaskGroup(of: [QueueEntry].self) { group in
            group.addTask { try await queue.take(most: 5, by: "w", waiting: .seconds(120)) }
            _ = try await queue.add([1])
            let found = try await group.next() ?? []
            try ContractBroken.hold(found.map(\.payload) == [[1]])
        }
    }

    private func burries() async throws {
        let queue = makeQueue()
        _ = try await queue.add([1])
        guard let entry = try await queue.take(most: 1, by: "w", waiting: .zero).first else {
            throw ContractBroken(description: "an entry that was added is not there")
        }
        try await queue.bury(entry, reason: "a test")
        try ContractBroken.hold(try await queue.reclaim(most: 9, by: "w", idle: .zero).isEmpty)
        try ContractBroken.hold(try await queue.depth() == QueueDepth(entries: 0, inWork: 0, dead: 1))
    }

    private func keepsItsBounds() async throws {
        do {
            _ = try await makeQueue().add(Array(repeating: 1, count: UsageQueueRules.maximumPayloadBytes + 1))
        } catch {
            return try ContractBroken.hold(error.code == .tooLarge)
        }
        throw ContractBroken(description: "a payload over the bound is taken")
    }

    /// Several who add and several who take: every entry is done exactly once when all is done.
    private func losesNothingUnderLoad() async throws {
        let queue = makeQueue()
        let seen = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for adder in 0..<4 {
                group.addTask {
                    for number in 0..<50 { _ = try await queue.add([UInt8(adder * 50 + number)]) }
                    return []
                }
            }
            for worker in 0..<4 {
                group.addTask {
                    var seen: [UInt8] = []
                    // An empty answer is no end while others still add.
                    while try await queue.depth().entries > 0 || seen.isEmpty {
                        for entry in try await queue.take(most: 7, by: "w\(worker)", waiting: .zero) {
                            seen.append(entry.payload[0])
                            try await queue.done([entry.id])
                        }
                        if seen.isEmpty, try await queue.depth().entries == 0 { break }
                    }
                    return seen
                }
            }
            var all: [UInt8] = []
            for try await some in group { all += some }
            for entry in try await queue.take(most: 500, by: "last", waiting: .zero) { all.append(entry.payload[0]) }
            return all
        }
        try ContractBroken.hold(seen.sorted() == (0..<200).map { UInt8($0) })
    }
}
