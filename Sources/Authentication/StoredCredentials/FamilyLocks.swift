// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Lets one change at a time happen to a rotation chain. Chains do not wait for each other.
final class FamilyLocks: Sendable {
    private let waiting = Mutex<[String: [CheckedContinuation<Void, Never>]]>([:])

    /// Runs the body when every earlier one of the same chain has ended.
    func withLock<Value, Failure: Error>(
        _ family: String, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await acquire(family)
        defer { release(family) }
        return try await body()
    }

    private func acquire(_ family: String) async {
        await withCheckedContinuation { continuation in
            let isFree = waiting.withLock { waiting in
                guard waiting[family] != nil else {
                    waiting[family] = []
                    return true
                }
                waiting[family]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func release(_ family: String) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            guard var queue = waiting[family], !queue.isEmpty else {
                waiting[family] = nil
                return nil
            }
            let next = queue.removeFirst()
            waiting[family] = queue
            return next
        }
        next?.resume()
    }
}
