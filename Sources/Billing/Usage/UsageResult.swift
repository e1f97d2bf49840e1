// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// What became of one event.
package struct UsageResult: Sendable, Hashable {
    /// Its fate.
    package enum Outcome: Sendable, Hashable {
        /// Recorded; the charge is nil where it is not rated yet.
        case accepted(chargeMicroCredits: Int64?)
        /// Recorded before; `conflict` where the content was another.
        case duplicate(conflict: Bool)
        /// Nothing was recorded, and the same id may come again.
        case rejected(Refusal)
    }

    /// Its place in the call.
    package var index: Int
    package var id: String?
    package var source: String?
    package var outcome: Outcome

    package init(index: Int, id: String?, source: String?, outcome: Outcome) {
        self.index = index
        self.id = id
        self.source = source
        self.outcome = outcome
    }

    /// As answers and metrics name the outcome: `accepted`, `duplicate`, `rejected`.
    package var status: String {
        switch outcome {
        case .accepted: "accepted"
        case .duplicate: "duplicate"
        case .rejected: "rejected"
        }
    }

    /// `{index, id, source, status, conflict?, code?, field?, charge_micro_credits?}`
    package var json: JSONValue {
        var object: JSONObject = [
            "index": .int(Int64(index)), "id": .optional(id), "source": .optional(source), "status": .string(status),
        ]
        switch outcome {
        case .accepted(let charge): object["charge_micro_credits"] = charge.map(JSONValue.int)
        case .duplicate(let conflict): object["conflict"] = .bool(conflict)
        case .rejected(let refusal):
            object["code"] = .string(refusal.code.rawValue)
            object["field"] = refusal.details?["field"]
        }
        return .object(object)
    }
}

/// What a call with events is answered.
package struct UsageAnswer: Sendable, Hashable {
    /// In the order of the events.
    package let results: [UsageResult]
    package let accepted: Int
    package let duplicates: Int
    package let rejected: Int

    /// Takes results in any order.
    package init(_ results: [UsageResult]) {
        self.results = results.sorted { $0.index < $1.index }
        var counts = (accepted: 0, duplicates: 0, rejected: 0)
        for result in results {
            switch result.outcome {
            case .accepted: counts.accepted += 1
            case .duplicate: counts.duplicates += 1
            case .rejected: counts.rejected += 1
            }
        }
        (accepted, duplicates, rejected) = counts
    }

    /// Why a call that was a single event is refused as a whole; nil where it is not, or where it was a list.
    package func refusal(isSingle: Bool) -> Refusal? {
        guard isSingle, results.count == 1, case .rejected(let refusal) = results[0].outcome else { return nil }
        return refusal
    }

    /// The status of the answer: 202, or 422 for a single event that is refused.
    package func status(isSingle: Bool) -> Int { refusal(isSingle: isSingle) == nil ? 202 : 422 }

    /// `{accepted, duplicates, rejected, results}`
    package var json: JSONValue {
        [
            "accepted": .int(Int64(accepted)), "duplicates": .int(Int64(duplicates)),
            "rejected": .int(Int64(rejected)), "results": .array(results.map(\.json)),
        ]
    }
}
