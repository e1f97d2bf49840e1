// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline
internal import Synchronization

/// What fake stages did, in order.
final class StageLog: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func note(_ line: String) { lines.withLock { $0.append(line) } }
}

/// A stage that admits, or refuses with its refusal, and writes down what it did.
struct FakeStage: AdmissionStage {
    let step: DecisionStep
    let log: StageLog
    var refusal: Refusal?
    var before: @Sendable () -> Void = {}
    /// What it says when it is only looked at; nil = nothing.
    var previewed: AdmissionOutcome?

    func admit(_ request: AdmissionRequest) async -> AdmissionOutcome {
        before()
        log.note("\(step.rawValue) \(request.principal.subject)")
        if let refusal { return .refused(refusal, detail: "no room") }
        return .admitted(detail: "taken") { log.note("gave back \(step.rawValue)") }
    }

    func preview(_ request: AdmissionRequest) async -> AdmissionOutcome? {
        log.note("looked at \(step.rawValue)")
        return previewed
    }
}
