// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging

extension AccountBook {
    /// Subscriptions of the provider whose period ended so long ago, without news of another, that the provider has to be asked; the one in
    /// force first.
    package func staleSubscriptions(at now: Timestamp, terms: BillingTerms) -> [ProviderStanding] {
        providers.filter { terms.timers.isStale($0, at: now) }
    }
}

extension AccountView {
    /// Whether what is known of the provider's subscription is as new as it must be, and its last status one that is known; true where there is
    /// no subscription.
    package func isProviderSynced(terms: BillingTerms) -> Bool {
        book.staleSubscriptions(at: asOf, terms: terms).isEmpty && book.provider?.isStatusKnown ?? true
    }
}

extension ProviderSubscription {
    /// What was read, as an update of that instant: so it is folded like an event.
    package func event(of account: String, at now: Timestamp, random: any RandomSource) -> ProviderEvent {
        var event = fact
        event.id = "\(event.id):\(UUIDv7.make(at: now, random: random))"
        event.created = Timestamp(seconds: now.seconds)
        event.account = account
        event.isOwn = true
        return event
    }
}

/// Asks the provider for subscriptions of which there was no news for too long, and folds what it says as an event would be.
package struct ProviderReadWorker: Sendable {
    /// The shortest time from one reading of a subscription to the next, in seconds.
    static let pauseSeconds: Int64 = 6 * 3600

    private let billing: BillingService
    private let events: ProviderEventService
    private let provider: any PaymentProvider
    private let random: any RandomSource
    private let logger: Logger

    package init(
        billing: BillingService, events: ProviderEventService, provider: any PaymentProvider,
        random: any RandomSource, logger: Logger
    ) {
        self.billing = billing
        self.events = events
        self.provider = provider
        self.random = random
        self.logger = logger
    }

    /// Reads every subscription of an account that is stale and was not read lately. The longer there is no news, the rarer it is read: each
    /// time an eighth of that time is waited for, six hours at least.
    ///
    /// - Returns: how many were read.
    /// - Throws: `billing.unavailable`. What the provider does not answer is logged, and read again later.
    package func read(_ book: AccountBook) async throws(Refusal) -> Int {
        var count = 0
        for standing in book.staleSubscriptions(at: billing.clock.now(), terms: billing.terms)
        where try await begin(standing, book.account) {
            count += 1
            do throws(Refusal) {
                let read = try await provider.subscription(standing.subscription)
                let event = read.event(of: book.account, at: billing.clock.now(), random: random)
                _ = try await events.take(event)
            } catch {
                logger.warning(
                    "a subscription without news cannot be read",
                    metadata: [
                        LogKeys.object: "\(standing.subscription)", LogKeys.code: "\(error.code.rawValue)",
                        LogKeys.error: "\(error.message)",
                    ])
            }
        }
        return count
    }

    /// Notes that it is read now, so that no other worker does the same.
    ///
    /// - Returns: false where it was read lately.
    private func begin(_ standing: ProviderStanding, _ account: String) async throws(Refusal) -> Bool {
        let now = billing.clock.now()
        let silence = now.seconds - (standing.periodEnd ?? now).seconds
        let pause = max(Self.pauseSeconds, silence / 8)
        do {
            return try await billing.ledger.transact(account) { transaction in
                let row = try transaction.named(.providerSubscription, standing.subscription)
                let document = try row.map { try JSONParser.parse(text: $0.document) }
                if let last = document?["read_at"]?.intValue, now.seconds < last + pause { return false }
                var object = document?.objectValue ?? JSONObject()
                object["read_at"] = .int(now.seconds)
                try transaction.put(
                    NamedRow(
                        kind: .providerSubscription, name: standing.subscription,
                        document: JSONValue.object(object).jsonText))
                return true
            }
        } catch { throw billing.fault(error, account) }
    }
}
