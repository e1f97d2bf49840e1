// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import RuntimeState

extension DecisionRun {
    /// Whether a stage may have something to do for the request; where nothing is known of the request the stage finds out itself.
    func concerns(_ stage: any AdmissionStage) -> Bool {
        guard let config, let snapshot else { return true }
        return stage.concerns(
            decision.principal, config: config, rule: match?.rule, usage: input.usage, accounts: snapshot.accounts)
    }

    /// Whether the request costs its account anything or asks anything of its plan.
    var isMetered: Bool { input.usage != nil || config?.metering(for: match?.rule) != nil }
}
