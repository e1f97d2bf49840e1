// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Connectors
internal import Pipeline

/// Open Policy Agent, as the pipeline asks it.
struct SidecarEngine: PolicyEngine {
    private let client: OPAClient

    init(_ client: OPAClient) { self.client = client }

    func answer(_ question: PolicyQuestion, timeLeft: Duration, expiresIn: Duration?) async -> EngineAnswer {
        await client.answer(question, timeLeft: timeLeft, expiresIn: expiresIn)
    }
}
