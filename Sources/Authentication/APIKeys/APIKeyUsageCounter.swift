// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// The requests of one key that are not written yet, by hour and status. Outlives changes of its record.
final class APIKeyUsageCounter: Sendable {
    private struct State: Sendable {
        /// The present hour's; the statuses of decisions are few.
        var hour: Int64 = 0
        var present: [(status: Int, requests: Int64)] = []
        /// Those of earlier hours, the oldest first.
        var earlier: [(hour: Int64, status: Int, requests: Int64)] = []
    }

    /// How many counters of earlier hours are kept while the store takes none; older ones are given up.
    static let maximumEarlier = 256
    private let state = Mutex(State())

    func add(status: Int, at now: Timestamp) {
        let hour = now.seconds / 3600
        state.withLock { state in
            if hour != state.hour { Self.turn(to: hour, &state) }
            if let index = state.present.firstIndex(where: { $0.status == status }) {
                state.present[index].requests = state.present[index].requests.addingSaturated(1)
            } else {
                state.present.append((status, 1))
            }
        }
    }

    private static func turn(to hour: Int64, _ state: inout State) {
        for counter in state.present { state.earlier.append((state.hour, counter.status, counter.requests)) }
        state.present.removeAll(keepingCapacity: true)
        state.hour = hour
        if state.earlier.count > maximumEarlier { state.earlier.removeFirst(state.earlier.count - maximumEarlier) }
    }

    /// What is not written yet.
    func rows(id: String, tenantID: String?) -> [APIKeyUsageRow] {
        state.withLock { Self.rows($0, id, tenantID) }
    }

    /// Takes what is not written yet.
    func drain(id: String, tenantID: String?) -> [APIKeyUsageRow] {
        state.withLock { state in
            guard !state.present.isEmpty || !state.earlier.isEmpty else { return [] }
            let rows = Self.rows(state, id, tenantID)
            state.present.removeAll(keepingCapacity: true)
            state.earlier = []
            return rows
        }
    }

    private static func rows(_ state: State, _ id: String, _ tenantID: String?) -> [APIKeyUsageRow] {
        state.earlier.map {
            APIKeyUsageRow(id: id, tenantID: tenantID, hour: $0.hour, status: $0.status, requests: $0.requests)
        }
            + state.present.map {
                APIKeyUsageRow(id: id, tenantID: tenantID, hour: state.hour, status: $0.status, requests: $0.requests)
            }
    }

    /// Gives back counters that could not be written.
    func restore(_ row: APIKeyUsageRow) {
        state.withLock { state in
            if row.hour == state.hour, let index = state.present.firstIndex(where: { $0.status == row.status }) {
                state.present[index].requests = state.present[index].requests.addingSaturated(row.requests)
            } else if let index = state.earlier.firstIndex(where: { $0.hour == row.hour && $0.status == row.status }) {
                state.earlier[index].requests = state.earlier[index].requests.addingSaturated(row.requests)
            } else {
                state.earlier.append((row.hour, row.status, row.requests))
                state.earlier.sort { $0.hour < $1.hour }
                if state.earlier.count > Self.maximumEarlier { state.earlier.removeFirst() }
            }
        }
    }
}
