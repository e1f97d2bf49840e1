// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// Decides what a reading of the sources changes. Pure: compiling and publishing are its runner's.
struct PolicyStateMachine {
    /// What the runner does next.
    enum Action {
        case nothing
        /// Put this in force.
        case publish(PolicyState)
        /// The source says something new that is not in force; tell everybody.
        case report(PolicyLoadFailure)
        /// The source says again what is in force.
        case recovered
    }

    private(set) var state: PolicyState
    /// What the source says, in force or not: the same again changes nothing.
    private var judged: PolicyReading

    /// Starts with data that compiled.
    init(_ reading: PolicyReading, documents: PolicyDocuments, policy: CompiledPolicy, at: Timestamp) {
        judged = reading
        state = PolicyState(policy: policy, documents: documents, origin: reading.origin, loadedAt: at)
    }

    /// Whether the reading has to be compiled before `took` can judge it.
    func isNew(_ reading: PolicyReading) -> Bool { reading != judged }

    /// Takes a reading that is new, with what its documents compiled to.
    mutating func took(
        _ reading: PolicyReading, _ result: Result<(PolicyDocuments, CompiledPolicy), PolicyDataError>, at: Timestamp
    ) -> Action {
        guard reading != judged else { return .nothing }
        judged = reading
        switch result {
        case .failure(let error):
            let failure = PolicyLoadFailure(at: at, origin: reading.origin, problems: error.problems)
            state.lastError = failure
            return .report(failure)
        case .success(let (documents, policy)):
            let wasSound = state.lastError == nil
            let isSame = policy.revision == state.revision && reading.origin.kind == state.origin.kind
            state.lastError = nil
            state.origin = reading.origin
            // The same data with other blanks or comments is no other revision.
            guard !isSame else { return wasSound ? .nothing : .recovered }
            state.policy = policy
            state.documents = documents
            state.loadedAt = at
            return .publish(state)
        }
    }
}
