// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import RuntimeState

extension RequestPipeline {
    /// Asks the cluster about the token that a decision waits for and begins the decision again with what it says.
    ///
    /// A tenth of the time for a decision stays for what follows: a question that takes longer has run out of its own time, not of the
    /// decision's. Everything up to here is without effect, so that it can be done twice.
    func judge(_ run: inout DecisionRun, after pending: PendingReview, watch: Stopwatch) async {
        let share = run.input.timeout(atMost: settings.timeout).wholeMicroseconds * 900
        let review = await authenticator.review(
            pending, timeLeft: .nanoseconds(max(0, share - watch.nanoseconds)))
        run = DecisionRun(
            input: run.input, snapshot: run.snapshot, now: run.now,
            tracer: StepTracer(explains: run.input.explain, metrics: nil), review: review)
        if let engine {
            await judge(&run, by: engine, watch: watch)
        } else if let question = run.judge(authenticator: authenticator), let policy = run.snapshot?.policy {
            run.conclude(policy.decide(question))
        }
    }
}
