// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel
internal import Synchronization
internal import TestSupport

/// Changes objects at a steady rate, whatever becomes of the changes, and finds out when each began to decide.
struct Changes: Sendable {
    /// What became of the changes of one sort.
    struct Delays: Sendable {
        /// From the API server's acknowledgment to the answer of the first decision that follows the change, seconds.
        var effective: [Double] = []
        /// From the request to the acknowledgment.
        var acknowledged: [Double] = []
        /// Changes that did not decide in time.
        var lost = 0
        /// Changes that were not made: the server refused or did not answer, or too many were under way.
        var notMade = 0

        /// The value that this share of all does not exceed.
        static func percentile(_ values: [Double], _ share: Double) -> Double {
            guard !values.isEmpty else { return .nan }
            let sorted = values.sorted()
            return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
        }
    }

    /// A ServiceToken with its text.
    struct Token: Sendable {
        let item: Fleet.Item
        let text: String
    }

    private struct State {
        var free: [Int]
        var revisions: [Int]
        var edits = Delays()
        var revocations = Delays()
        var underWay = 0
    }

    /// More than that at a time the server would only keep waiting.
    private static let mostUnderWay = 128
    /// Of the time that has gone by: what comes soon is looked for often, and what is late does not load the machine.
    private static let pollShare = 0.2
    private static let pollPause = Duration.milliseconds(10)
    private static let longestPollPause = Duration.milliseconds(250)
    private static let patience = Duration.seconds(30)

    private let api: HTTPKubernetesAPI
    private let daemon: Daemon
    private let configs: [Fleet.Item]
    private let state: SharedState
    private let addresses = Counter()

    private final class SharedState: Sendable {
        let value: Mutex<State>
        init(_ state: State) { value = Mutex(state) }
    }

    /// - Parameter revision: that the AuthConfigs may have by now; theirs are above it.
    init(_ api: HTTPKubernetesAPI, daemon: Daemon, fleet: Fleet, after revision: Int) {
        self.api = api
        self.daemon = daemon
        configs = fleet.items(of: .authConfig)
        state = SharedState(
            State(free: Array(configs.indices), revisions: Array(repeating: revision, count: configs.count)))
    }

    var edits: Delays { state.value.withLock(\.edits) }
    var revocations: Delays { state.value.withLock(\.revocations) }
    /// How many decisions were asked for.
    var decisions: Int { addresses.value }

    /// Makes that many changes of each sort a second.
    func run(edits: Int, revoking tokens: [Token], for duration: Duration) async throws {
        let seconds = duration.inSeconds
        let editCount = Int(Double(edits) * seconds)
        let start = ContinuousClock().now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Self.pace(editCount, over: seconds, from: start) { _ in await self.edit() }
            }
            group.addTask {
                try await Self.pace(tokens.count, over: seconds, from: start) { await self.revoke(tokens[$0]) }
            }
            try await group.waitForAll()
        }
    }

    /// Has something begin at even distances, without waiting for what began before.
    private static func pace(
        _ count: Int, over seconds: Double, from start: ContinuousClock.Instant,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for index in 0..<count {
                try await Task.sleep(
                    until: start + .seconds(seconds * Double(index) / Double(count)), clock: .continuous)
                group.addTask { try await body(index) }
            }
        }
    }

    private func edit() async {
        let chosen = state.value.withLock { state -> (index: Int, revision: Int)? in
            guard !state.free.isEmpty, state.underWay < Self.mostUnderWay else { return nil }
            let index = state.free.removeFirst()
            state.underWay += 1
            state.revisions[index] += 1
            return (index, state.revisions[index])
        }
        guard let (index, revision) = chosen else {
            state.value.withLock { $0.edits.notMade += 1 }
            return
        }
        let item = configs[index]
        let result = await measure { () async throws(KubernetesError) in
            _ = try await api.patch(
                item.reference, subresource: nil,
                .merge(["spec": ["policy": ["routes": Fleet.routes(revision: revision)]]]))
        } until: {
            try await decide(item.name, "/revisions/\(revision)")
        }
        state.value.withLock { state in
            state.free.append(index)
            state.underWay -= 1
            state.edits.take(result)
        }
    }

    private func revoke(_ token: Token) async {
        let result = await measure { () async throws(KubernetesError) in
            _ = try await api.patch(token.item.reference, subresource: nil, .merge(["spec": ["revoked": true]]))
        } until: {
            try await !decide(token.item.name, "/v1/me", token: token.text)
        }
        state.value.withLock { $0.revocations.take(result) }
    }

    /// Whether the AuthConfig of that name lets somebody in.
    func decide(_ name: String, _ path: String, token: String? = nil) async throws -> Bool {
        try await daemon.allows(
            host: Fleet.host(name), path: path, token: token,
            address: UInt32(addresses.increment() % 4096))
    }

    /// - Returns: how long the acknowledgment took and, from then on, the effect, if there was one; nil without an acknowledgment.
    private func measure(
        _ change: () async throws(KubernetesError) -> Void, until isEffective: () async throws -> Bool
    ) async -> (acknowledged: Double, effective: Double?)? {
        let clock = ContinuousClock()
        let start = clock.now
        do { try await change() } catch { return nil }
        let acknowledged = clock.now
        while clock.now < acknowledged + Self.patience {
            // An answer that is no decision is asked for again; the time goes on.
            if (try? await isEffective()) == true {
                return ((acknowledged - start).inSeconds, (clock.now - acknowledged).inSeconds)
            }
            let pause = min(max(Self.pollPause, (clock.now - acknowledged) * Self.pollShare), Self.longestPollPause)
            // Nobody cancels it.
            try? await Task.sleep(for: pause)
        }
        return ((acknowledged - start).inSeconds, nil)
    }

    /// The texts of some tokens, each of which lets its bearer in now.
    func tokens(_ items: some Sequence<Fleet.Item>) async throws -> [Token] {
        var tokens: [Token] = []
        for item in items {
            let secret = try await api.get(
                APIObjectReference(.secrets, namespace: item.namespace, name: "\(item.name)-token"), subresource: nil)
            guard let text = secret["data"]?["token"]?.stringValue.flatMap({ Data(base64Encoded: $0) }),
                try await decide(item.name, "/v1/me", token: String(decoding: text, as: UTF8.self))
            else { throw BenchmarkFault("the token of \(item.name) lets nobody in") }
            tokens.append(Token(item: item, text: String(decoding: text, as: UTF8.self)))
        }
        return tokens
    }
}

extension Changes.Delays {
    fileprivate mutating func take(_ result: (acknowledged: Double, effective: Double?)?) {
        guard let result else {
            notMade += 1
            return
        }
        acknowledged.append(result.acknowledged)
        if let effective = result.effective { self.effective.append(effective) } else { lost += 1 }
    }
}
