// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging
package import Metrics

/// Sends what waits in the outbox, a round at a time.
package struct WebhookDeliveryWorker: Sendable {
    /// How many are sent in one round, and how many of them at once.
    private static let batch = 32
    private static let width = 16
    /// How long a delivery is this worker's, in seconds: two waves of twenty seconds, and room for the store.
    private static let leaseSeconds: Int64 = 120

    private let ledger: any BillingLedger
    private let sender: any WebhookSending
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger
    private let results: [String: Counter]

    package init(
        ledger: any BillingLedger, sender: any WebhookSending, clock: any WallClock,
        random: any RandomSource = SystemRandomSource(), logger: Logger, metricsFactory: any MetricsFactory
    ) {
        self.ledger = ledger
        self.sender = sender
        self.clock = clock
        self.random = random
        self.logger = logger
        results = Dictionary(
            uniqueKeysWithValues: ["delivered", "retried", "failed", "dropped"].map { result in
                let counter = Counter(
                    label: "tollgate_webhook_deliveries_total", dimensions: [("result", result)],
                    factory: metricsFactory)
                counter.increment(by: 0)
                return (result, counter)
            })
    }

    /// Sends what is due now.
    ///
    /// - Returns: how many there were; a full round means that there may be more.
    package func round() async throws -> Int {
        let now = clock.now()
        let due = try await ledger.dueDeliveries(
            at: now, leaseUntil: now.adding(seconds: Self.leaseSeconds), limit: Self.batch)
        await withTaskGroup(of: Void.self) { group in
            for (index, delivery) in due.enumerated() {
                if index >= Self.width { await group.next() }
                group.addTask { await deliver(delivery) }
            }
        }
        return due.count
    }

    private func deliver(_ delivery: DeliveryRow) async {
        do {
            let endpoint = try await ledger.read(delivery.account) { reader in
                try WebhookEndpointService.endpoint(delivery.endpoint, in: reader)
            }
            guard let endpoint, endpoint.disabledBecause == nil else {
                var row = delivery
                row.end()
                try await ledger.update(row)
                results["dropped"]?.increment()
                return
            }
            try await send(delivery, to: endpoint)
        } catch {
            // Its lease ends, and it is due again.
            logger.error(
                "a webhook cannot be delivered",
                metadata: [LogKeys.object: "\(delivery.id)", LogKeys.error: "\(error)"])
        }
    }

    private func send(_ delivery: DeliveryRow, to endpoint: WebhookEndpoint) async throws {
        let body = Array(delivery.body.utf8)
        let started = clock.now()
        let headers = WebhookHeaders(
            id: delivery.message, body: body, secrets: endpoint.signing(at: started), at: started)
        let answer = await sender.send(body, headers: headers, to: endpoint.url)
        var row = delivery
        let isUnwanted = row.note(answer, at: clock.now(), random: random)
        try await ledger.update(row)
        results[row.state == "waiting" ? "retried" : row.state]?.increment()
        switch answer {
        case .status: break
        case .unreachable(let reason), .forbidden(let reason):
            logger.debug(
                "a webhook was not delivered",
                metadata: [LogKeys.object: "\(delivery.id)", LogKeys.reason: "\(reason)"])
        }
        if isUnwanted { try await disable(endpoint.id, of: delivery.account) }
    }

    private func disable(_ id: String, of account: String) async throws {
        try await ledger.transact(account) { transaction in
            guard var endpoint = try WebhookEndpointService.endpoint(id, in: transaction) else { return }
            endpoint.disable(because: "its receiver answered 410")
            try transaction.put(WebhookEndpointService.row(endpoint))
        }
    }
}
