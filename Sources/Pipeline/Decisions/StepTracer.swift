// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Follows a decision step by step, for `explain` and for the timing metrics; costs nothing where neither is asked for.
struct StepTracer {
    /// Whether the decision goes on after its first refusal and every step is written down.
    let explains: Bool
    private let metrics: PipelineMetrics?
    private var watch: Stopwatch?
    private(set) var steps: [Decision.Step] = []

    init(explains: Bool, metrics: PipelineMetrics?) {
        self.explains = explains
        self.metrics = metrics
        watch = explains || metrics != nil ? Stopwatch() : nil
    }

    /// Ends a step. `detail` is only evaluated where it is shown.
    mutating func note(_ step: DecisionStep, _ refusal: Refusal?, _ detail: @autoclosure () -> String) {
        guard let nanoseconds = watch?.lap() else { return }
        metrics?.step(step, nanoseconds: nanoseconds)
        guard explains else { return }
        let outcome: Decision.Step.Outcome = refusal.map { $0.status == 503 ? .unavailable : .deny } ?? .pass
        append(step, outcome, refusal?.code, detail(), nanoseconds)
    }

    /// Writes down a step that did not run, unless it is there already.
    mutating func skip(_ step: DecisionStep, _ detail: @autoclosure () -> String) {
        guard explains, !steps.contains(where: { $0.name == step.rawValue }) else { return }
        append(step, .skip, nil, detail(), 0)
    }

    private mutating func append(
        _ step: DecisionStep, _ outcome: Decision.Step.Outcome, _ code: ErrorCode?, _ detail: String,
        _ nanoseconds: Int64
    ) {
        steps.append(
            Decision.Step(
                name: step.rawValue, outcome: outcome, code: code, detail: detail, microseconds: nanoseconds / 1000))
    }
}
