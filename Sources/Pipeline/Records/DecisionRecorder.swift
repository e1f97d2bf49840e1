// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Authorization
internal import Essentials
internal import Logging
internal import Synchronization

/// Puts each decision into the audit trail and into the log.
struct DecisionRecorder: Sendable {
    private let audit: any AuditRecording
    private let logger: Logger

    init(audit: any AuditRecording, logger: Logger) {
        self.audit = audit
        self.logger = logger
    }

    /// The audit step: a decision that cannot be recorded is not given.
    func record(_ run: inout DecisionRun, nanoseconds: Int64) async {
        await record(run.newBlocks, requestID: run.input.requestID)
        // What passes without the policy engine is never folded: its entry says why it passed.
        if !run.decision.isRefused, !run.input.dryRun, !run.decision.passedWithoutEngine {
            guard audit.acceptAllowedDecision(allowed(run)) == false else {
                return run.tracer.note(.audit, nil, Explanation(.asker, "accepted"))
            }
        }
        let draft = draft(run, nanoseconds: nanoseconds)
        if audit.acceptNow(draft) { return run.tracer.note(.audit, nil, Explanation(.asker, "accepted")) }
        do {
            try await audit.accept(draft)
            run.tracer.note(.audit, nil, Explanation(.asker, "accepted"))
        } catch {
            run.decision.refusal = error
            run.tracer.note(
                .audit, error, Explanation(.installation, "the audit trail does not accept entries"))
        }
    }

    /// One entry and one line for every failure limit that was reached. A trail that is away refuses the request by its own entry.
    func record(_ blocks: [FailureBlock], requestID: String) async {
        for block in blocks {
            logger.warning(
                "failure limit reached",
                metadata: [
                    LogKeys.requestID: "\(requestID)", LogKeys.reason: "\(block.kind.rawValue)", "key": "\(block.key)",
                ])
            let draft = AuditDraft(
                actor: "system", action: "auth.blocked", resource: block.key, outcome: .denied, metadata: block.json,
                requestID: requestID)
            guard !audit.acceptNow(draft) else { continue }
            do {
                try await audit.accept(draft)
            } catch {
                logger.error(
                    "a failure limit is not recorded",
                    metadata: [LogKeys.requestID: "\(requestID)", LogKeys.error: "\(error.message)"])
            }
        }
    }

    /// One line for every refusal. Allowed decisions are in the metrics and the trail; their lines are for debugging.
    func log(_ decision: Decision, input: DecisionInput, nanoseconds: Int64) {
        let level: Logger.Level = decision.isRefused ? .info : .debug
        guard logger.logLevel <= level else { return }
        logger.log(
            level: level, "decision",
            metadata: [
                LogKeys.requestID: "\(decision.requestID)", LogKeys.door: "\(input.door.rawValue)",
                LogKeys.method: "\(decision.method ?? "-")", LogKeys.host: "\(decision.host ?? "-")",
                LogKeys.path: "\(decision.canonicalPath ?? "-")", LogKeys.authConfig: "\(decision.authConfig ?? "-")",
                LogKeys.route: "\(decision.route ?? "-")",
                LogKeys.subject: "\(decision.principal.subject)",
                LogKeys.code: "\(decision.refusal?.code.rawValue ?? "-")", LogKeys.status: "\(decision.status)",
                LogKeys.microseconds: "\(nanoseconds / 1000)",
            ])
    }

    private func allowed(_ run: DecisionRun) -> AllowedDecision {
        let principal = run.decision.principal
        let path = run.decision.canonicalPath ?? ""
        return AllowedDecision(
            actor: principal.subject, tenant: principal.tenantID, host: run.decision.host ?? "",
            method: run.decision.method ?? "", route: run.decision.route ?? path, path: path,
            status: run.decision.status, ip: run.input.clientAddress, authSource: principal.authSource.rawValue,
            requestID: run.decision.requestID, at: run.now)
    }

    private func draft(_ run: DecisionRun, nanoseconds: Int64) -> AuditDraft {
        let decision = run.decision
        var metadata: JSONObject = [
            "method": .optional(decision.method), "route": .optional(decision.route),
            "status": .int(Int64(decision.status)), "duration_ms": .int(nanoseconds / 1_000_000),
            "code": .optional(decision.refusal?.code.rawValue),
            "door": .string(run.input.door.rawValue), "host": .optional(decision.host),
            "auth_config": .optional(decision.authConfig), "permission": .optional(decision.policy?.permission),
            "auth_source": .string(decision.principal.authSource.rawValue),
            "token_id": .optional(decision.principal.tokenID),
        ]
        if decision.passedWithoutEngine { metadata["reasons"] = .strings(decision.policy?.reasons ?? []) }
        if let agent = run.input.headers.first("user-agent") {
            metadata["user_agent"] = .string(String(agent.prefix(256)))
        }
        return AuditDraft(
            actor: decision.principal.subject, action: run.input.dryRun ? "decision.explain" : "decision.check",
            resource: decision.canonicalPath ?? "-", outcome: AuditDraft.Outcome(status: decision.status),
            metadata: metadata, ip: run.input.clientAddress?.description, tenant: decision.principal.tenantID,
            requestID: decision.requestID)
    }
}
