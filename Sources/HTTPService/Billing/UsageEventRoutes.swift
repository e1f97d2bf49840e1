// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials

/// What gateways and workers report.
struct UsageEventRoutes: Sendable {
    let services: BillingServices

    var routes: [OwnRoute] {
        [
            OwnRoute(
                "POST", "/v1/usage/events", .write, bodyBytes: CloudEventReader.maximumBodyBytes, isRaw: true
            ) { call throws(Refusal) in try await record(call) }
        ]
    }

    private func record(_ call: OwnCall) async throws(Refusal) -> OwnAnswer {
        _ = try call.query.object(known: [])
        let batch = try CloudEventReader.read(headers: call.exchange.headers, body: call.bytes)
        var own: String?
        if !call.isOfPlatform { own = try call.account(named: nil) }
        let intake = UsageIntake(
            account: own, actor: call.actor, now: services.clock.now(),
            dedupWindow: services.billing.settings.dedupWindow)
        let results = try await record(intake.check(batch))
        let usage = UsageAnswer(results.all)
        if let refusal = usage.refusal(isSingle: batch.isSingle) { throw refusal }
        var answer = OwnAnswer.object(usage.json, status: usage.status(isSingle: batch.isSingle))
        answer.auditResource = results.accounts.count == 1 ? results.accounts[0] : nil
        answer.auditMetadata["accepted"] = .int(Int64(usage.accepted))
        answer.auditMetadata["duplicates"] = .int(Int64(usage.duplicates))
        answer.auditMetadata["rejected"] = .int(Int64(usage.rejected))
        // Of several accounts there is no one plan to tell.
        if let account = results.accounts.first, results.accounts.count == 1 {
            await services.tellStanding(of: account, in: &answer)
        }
        return answer
    }

    /// Records each account's events in one transaction, in the order in which the accounts come first.
    private func record(
        _ candidates: [UsageCandidate]
    ) async throws(Refusal) -> (all: [UsageResult], accounts: [String]) {
        var accounts: [String] = []
        var byAccount: [String: [UsageCandidate]] = [:]
        var all: [UsageResult] = []
        for candidate in candidates {
            if case .refused(let refusal) = candidate.state {
                all.append(
                    UsageResult(
                        index: candidate.index, id: candidate.id, source: candidate.source,
                        outcome: .rejected(refusal)))
                continue
            }
            let account = candidate.account ?? ""
            if byAccount[account] == nil { accounts.append(account) }
            byAccount[account, default: []].append(candidate)
        }
        for account in accounts {
            let events = byAccount[account] ?? []
            do throws(Refusal) {
                all += try await services.usage.take(events, account: account)
            } catch {
                // An account that is not there rejects its own events; what the store could not do is done again by who sent it.
                guard error.code != .billingUnavailable else { throw error }
                for event in events {
                    all.append(
                        UsageResult(
                            index: event.index, id: event.id, source: event.source, outcome: .rejected(error)))
                }
            }
        }
        return (all, accounts)
    }
}
