// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import RuntimeState

extension DecisionRun {
    /// Whether a stage may have something to do for the request; where nothing is known of the request the stage finds out itself.
    func concerns(_ stage: any AdmissionStage) -> Bool {
        guard let config, let snapshot else { return true }
        return stage.concerns(decision.principal, config: config, accounts: snapshot.accounts)
    }
}
