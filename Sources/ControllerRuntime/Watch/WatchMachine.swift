// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
package import ResourceModel

/// How one stream of objects goes on, decided from what happened. Pure: time and chance are handed in.
package struct WatchMachine: Sendable {
    /// The next thing to do.
    package enum Step: Sendable, Equatable {
        /// A watch that brings the present objects first.
        case streamingList
        /// A paged list.
        case list
        case watch(from: String)
        /// Nothing for so long, then ask again.
        case pause(Duration)
    }

    /// What became of a step.
    package enum Outcome: Sendable, Equatable {
        /// A list is complete, by whichever way; a streaming one goes on as a watch.
        case listed(version: String)
        /// The watch ended as the server wished.
        case ended
        case failed(KubernetesError)
    }

    /// Why a stream is not as it should be.
    package struct Fault: Sendable, Equatable {
        /// For the metric: one of `expired`, `error`, `idle`, `garbled`, `forbidden`, `missing`.
        package var reason: String
        /// For people.
        package var message: String
    }

    /// How long a kind that may not be read, or is not there, is left alone.
    package static let retryOfRefused = Duration.seconds(60)

    private var offersStreaming = true
    private var version: String?
    private var isListing = false
    private var next: Step?
    private var backoff = Backoff()
    /// 410s one after the other without anything between.
    private var expiries = 0

    package init() {}

    /// What to do now.
    package mutating func step() -> Step {
        if let next {
            self.next = nil
            return next
        }
        if let version, !isListing { return .watch(from: version) }
        isListing = true
        return offersStreaming ? .streamingList : .list
    }

    /// An event or a bookmark came: from here on the stream goes on.
    package mutating func saw(version: String) {
        guard !version.isEmpty else { return }
        self.version = version
        expiries = 0
    }

    /// Takes note of how the step ended.
    ///
    /// - Parameters:
    ///   - now: of a clock that only goes forward.
    ///   - draw: from 0 up to, not including, 1.
    /// - Returns: what is wrong, nil where nothing is.
    package mutating func ended(_ outcome: Outcome, at now: Duration, draw: Double) -> Fault? {
        switch outcome {
        case .listed(let version):
            self.version = version
            isListing = false
            return nil
        case .ended:
            // The server ends a watch of its own accord: it goes on from where it was.
            return nil
        case .failed(let error):
            return failed(error, now: now, draw: draw)
        }
    }

    private mutating func failed(_ error: KubernetesError, now: Duration, draw: Double) -> Fault? {
        if isListing, offersStreaming {
            // Whatever it was: this server is asked by pages from now on.
            offersStreaming = false
            return nil
        }
        switch error.code {
        case .forbidden, .notFound:
            isListing = true
            next = .pause(Self.retryOfRefused)
            return Fault(reason: error.code == .forbidden ? "forbidden" : "missing", message: error.message)
        case .expired:
            isListing = true
            expiries += 1
            // A server that forgets faster than it lists is not asked without pause.
            if expiries > 1 { next = .pause(backoff.pause(at: now, draw: draw)) }
            return Fault(reason: "expired", message: error.message)
        case .idle where !isListing:
            return Fault(reason: "idle", message: error.message)
        case .malformedAnswer:
            isListing = true
            next = .pause(backoff.pause(at: now, draw: draw))
            return Fault(reason: "garbled", message: error.message)
        default:
            next = .pause(backoff.pause(at: now, draw: draw))
            return Fault(reason: "error", message: "\(error)")
        }
    }
}
