// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Follows a decision step by step, for `explain` and for the timing metrics; costs nothing where neither is asked for.
struct StepTracer {
    /// Whether the decision goes on after its first refusal and every step is written down.
    let explains: Bool
    /// What is not written down, because it is not the asker's business.
    var blanks = ExplainBlanks.none
    private let metrics: PipelineMetrics?
    private var watch: Stopwatch?
    private(set) var steps: [Decision.Step] = []

    init(explains: Bool, metrics: PipelineMetrics?) {
        self.explains = explains
        self.metrics = metrics
        watch = explains || metrics != nil ? Stopwatch() : nil
    }

    /// Ends a step. The explanation is only made where it is shown.
    mutating func note(_ step: DecisionStep, _ refusal: Refusal?, _ explanation: @autoclosure () -> Explanation) {
        guard let nanoseconds = watch?.lap() else { return }
        metrics?.step(step, nanoseconds: nanoseconds)
        guard explains else { return }
        let outcome: Decision.Step.Outcome = refusal.map { $0.status == 503 ? .unavailable : .deny } ?? .pass
        append(step, outcome, refusal?.code, explanation(), nanoseconds)
    }

    /// Whether something was written down about the step.
    func hasStep(_ step: DecisionStep) -> Bool { steps.contains { $0.name == step.rawValue } }

    /// Writes down a step that did not run, unless it is there already.
    mutating func skip(_ step: DecisionStep, _ explanation: @autoclosure () -> Explanation) {
        guard explains, !hasStep(step) else { return }
        append(step, .skip, nil, explanation(), 0)
    }

    private mutating func append(
        _ step: DecisionStep, _ outcome: Decision.Step.Outcome, _ code: ErrorCode?, _ explanation: Explanation,
        _ nanoseconds: Int64
    ) {
        var remedy: String?
        if let code {
            let telling = explanation.remedies.filter { !blanks.covers($0.owner) }
            remedy = blanks.text(telling) ?? CodeRemedy.text(code)
        }
        steps.append(
            Decision.Step(
                name: step.rawValue, outcome: outcome, code: code, detail: blanks.text(explanation.compared) ?? "",
                remedy: remedy, microseconds: nanoseconds / 1000))
        // What explaining took is no step's time.
        _ = watch?.lap()
    }
}
