// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import NIOCore
internal import ResourceModel

/// Follows one watch: one task reads bytes, one looks at the time, and the caller's works on the events.
struct WatchRunner {
    private typealias Handoff = ChunkHandoff<ByteBuffer, KubernetesError?>

    let transport: APITransport
    let time: any MonotonicClock
    let maximumLineBytes: Int

    /// Runs until the server ends the watch, `each` has enough, or something fails.
    func run(_ query: WatchQuery, each: (WatchEvent) async -> WatchStep) async throws(KubernetesError) {
        let handoff = Handoff(now: time.now)
        let failure = await withTaskGroup(of: Void.self) { group -> KubernetesError? in
            group.addTask { [transport] in await Self.pump(.watch(query), transport, into: handoff) }
            group.addTask { [time] in
                await Self.guardIdle(handoff, limit: query.idleTimeout, time: time)
            }
            let failure = await consume(handoff, each: each)
            handoff.close()
            group.cancelAll()
            return failure
        }
        if let failure { throw failure }
    }

    private func consume(_ handoff: Handoff, each: (WatchEvent) async -> WatchStep) async -> KubernetesError? {
        var framer = LineFramer(maximumBytes: maximumLineBytes)
        while true {
            switch await handoff.take() {
            case .end(let failure):
                // A line that was cut off by the end is asked for again: the caller goes on from the last version.
                return Task.isCancelled ? KubernetesError(.cancelled, message: "the watch was cancelled") : failure
            case .piece(let buffer):
                do throws(LineFramer.TooLong) {
                    for line in try framer.take(buffer.readableBytesView) {
                        do throws(KubernetesError) {
                            if await each(try WatchEventReader.event(line)) == .stop { return nil }
                        } catch { return error }
                    }
                } catch {
                    return KubernetesError(
                        .malformedAnswer, message: "a line of the watch is longer than \(maximumLineBytes) bytes")
                }
            }
        }
    }

    private static func pump(_ request: APIRequest, _ transport: APITransport, into handoff: Handoff) async {
        do throws(KubernetesError) {
            try await transport.follow(request) { response in
                for try await chunk in response.body {
                    guard await handoff.give(chunk) else { return }
                }
            }
            handoff.end(nil)
        } catch {
            handoff.end(error)
        }
    }

    /// Ends the stream when nothing came for as long as it may, while somebody waited for it.
    private static func guardIdle(_ handoff: Handoff, limit: Duration, time: any MonotonicClock) async {
        while !Task.isCancelled {
            let now = time.now()
            let deadline = (handoff.waitingSince ?? now) + limit
            guard deadline > now else {
                return handoff.end(KubernetesError(.idle, message: "the watch brought no byte for \(limit)"))
            }
            do {
                try await time.pause(for: deadline - now)
            } catch { return }
        }
    }
}
