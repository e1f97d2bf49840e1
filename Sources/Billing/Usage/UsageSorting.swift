// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Takes checked events to their results, in order, in the transaction of their account.
package enum UsageSorting {
    private struct Key: Hashable {
        var source: String
        var id: String
    }

    /// Looks for repeats, in the store and among the events before, and applies the others.
    ///
    /// A refused event is not remembered: its id may come again, in the same call too.
    ///
    /// - Parameters:
    ///   - candidates: of one account, in the order of the call.
    ///   - recorded: the digest of the event that was recorded with a source and id within the dedup window; nil where there is none.
    ///   - apply: rates, settles and records an event: its charge in micro-credits, or why it is refused and nothing was done.
    /// - Throws: what the closures throw.
    package static func results(
        of candidates: [UsageCandidate], recorded: (_ source: String, _ id: String) throws -> String?,
        apply: (UsageEvent) throws -> Result<Int64?, Refusal>
    ) rethrows -> [UsageResult] {
        var taken: [Key: String] = [:]
        var results: [UsageResult] = []
        results.reserveCapacity(candidates.count)
        for candidate in candidates {
            let outcome: UsageResult.Outcome
            switch candidate.state {
            case .refused(let refusal): outcome = .rejected(refusal)
            case .taken(let digest, let content):
                let key = Key(source: candidate.source ?? "", id: candidate.id ?? "")
                if let before = try taken[key] ?? recorded(key.source, key.id) {
                    outcome = .duplicate(conflict: before != digest)
                } else {
                    switch content {
                    case .failure(let refusal): outcome = .rejected(refusal)
                    case .success(let event):
                        switch try apply(event) {
                        case .failure(let refusal): outcome = .rejected(refusal)
                        case .success(let charge):
                            taken[key] = digest
                            outcome = .accepted(chargeMicroCredits: charge)
                        }
                    }
                }
            }
            results.append(
                UsageResult(
                    index: candidate.index, id: candidate.id, source: candidate.source, outcome: outcome))
        }
        return results
    }
}
