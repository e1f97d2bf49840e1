// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Logging

/// The webhook endpoints of an account: who is told, and what became of it.
///
/// Everything throws 404 `billing.not_found` for what the account does not have, and 503 `billing.unavailable` without a store.
package struct WebhookEndpointService: Sendable {
    /// The most deliveries of one page.
    package static let maximumPage = 1000

    private let ledger: any BillingLedger
    private let sender: any WebhookSending
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger

    package init(
        ledger: any BillingLedger, sender: any WebhookSending, clock: any WallClock,
        random: any RandomSource = SystemRandomSource(), logger: Logger
    ) {
        self.ledger = ledger
        self.sender = sender
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// In the order of their ids, which is that of their making.
    package func list(_ account: String) async throws(Refusal) -> [WebhookEndpoint] {
        try await stored {
            try await ledger.read(account) { try Self.endpoints(in: $0) }
        }
    }

    package func endpoint(_ id: String, of account: String) async throws(Refusal) -> WebhookEndpoint {
        let found = try await stored {
            try await ledger.read(account) { try Self.endpoint(id, in: $0) }
        }
        guard let found else { throw Refusal(.billingNotFound) }
        return found
    }

    /// Makes one with a new secret, which is shown in this answer and never again: `shownOnce`.
    ///
    /// - Throws: 422 `request.invalid` for a wrong member, or when there are 20.
    package func create(_ json: JSONValue, for account: String) async throws(Refusal) -> WebhookEndpoint {
        let request = try checked(json)
        let now = clock.now()
        var endpoint = WebhookEndpoint(
            id: UUIDv7.make(at: now, random: random), url: request.url, types: request.types,
            description: request.description, secret: .make(random), createdAt: now)
        if !request.isEnabled { endpoint.disable(because: "disabled by its owner") }
        let made = endpoint
        return try await change(account) { transaction in
            guard try Self.endpoints(in: transaction).count < WebhookEndpoint.maximum else {
                return .failure(
                    Refusal(
                        .requestInvalid, message: "An account has at most \(WebhookEndpoint.maximum) endpoints"))
            }
            try transaction.put(Self.row(made))
            return .success(made)
        }
    }

    /// Whether the address may be called, as far as that shows without a call.
    ///
    /// - Throws: 422 `request.invalid` with that field.
    package func check(_ url: String, field: String) throws(Refusal) {
        do throws(Refusal) {
            try sender.check(url)
        } catch {
            throw Refusal(
                .requestInvalid, message: "\(field): \(error.message)", details: ["field": .string(field)])
        }
    }

    /// Puts address, types, description and whether it is enabled; secrets stay. That of a budget is changed with the budget.
    package func update(
        _ id: String, _ json: JSONValue, of account: String
    ) async throws(Refusal) -> WebhookEndpoint {
        let request = try checked(json)
        guard BudgetReceiver.budget(ofEndpoint: id) == nil else { throw Self.isBudgets }
        return try await edit(id, of: account) { endpoint in
            endpoint.url = request.url
            endpoint.types = request.types
            endpoint.description = request.description
            if request.isEnabled {
                endpoint.enable()
            } else if endpoint.disabledBecause == nil {
                endpoint.disable(because: "disabled by its owner")
            }
        }
    }

    /// Makes a new secret, shown in this answer only; the one before signs for another day.
    package func rotate(_ id: String, of account: String) async throws(Refusal) -> WebhookEndpoint {
        let secret = WebhookSecret.make(random)
        let now = clock.now()
        return try await edit(id, of: account) { $0.rotate(to: secret, at: now) }
    }

    /// What waits for it is not sent any more.
    package func delete(_ id: String, of account: String) async throws(Refusal) {
        guard BudgetReceiver.budget(ofEndpoint: id) == nil else { throw Self.isBudgets }
        let _: Void = try await change(account) { transaction in
            guard try Self.endpoint(id, in: transaction) != nil else { return .failure(Refusal(.billingNotFound)) }
            try transaction.remove(.webhookEndpoint, id)
            return .success(())
        }
    }

    /// The newest first; `before` is the id of the last of the page before.
    package func deliveries(
        of id: String, account: String, before: String? = nil, limit: Int = 100
    ) async throws(Refusal) -> [DeliveryRow] {
        let count = min(max(1, limit), Self.maximumPage)
        let found = try await stored {
            try await ledger.read(account) { reader -> [DeliveryRow]? in
                guard try Self.endpoint(id, in: reader) != nil else { return nil }
                let last = try before.flatMap { try reader.delivery(id: $0) }
                guard before == nil || last?.endpoint == id else { return nil }
                return try reader.deliveries(endpoint: id, before: last, limit: count)
            }
        }
        guard let found else { throw Refusal(.billingNotFound) }
        return found
    }

    /// Has a delivery sent once more, at once.
    ///
    /// - Throws: 422 `request.invalid` where its endpoint is disabled.
    package func resend(_ delivery: String, of account: String) async throws(Refusal) -> DeliveryRow {
        let now = clock.now()
        let found = try await stored {
            try await ledger.read(account) { reader -> (row: DeliveryRow, endpoint: WebhookEndpoint)? in
                guard let row = try reader.delivery(id: delivery),
                    let endpoint = try Self.endpoint(row.endpoint, in: reader)
                else { return nil }
                return (row, endpoint)
            }
        }
        guard let found else { throw Refusal(.billingNotFound) }
        guard found.endpoint.disabledBecause == nil else {
            throw Refusal(.requestInvalid, message: "The endpoint is disabled")
        }
        var row = found.row
        row.resend(at: now)
        let again = row
        try await stored { try await ledger.update(again) }
        return again
    }

    private static let isBudgets = Refusal(
        .requestInvalid, message: "The endpoint is a budget's: change its address with the budget")

    private func checked(_ json: JSONValue) throws(Refusal) -> WebhookEndpointRequest {
        let request = try WebhookEndpointRequest(json)
        try sender.check(request.url)
        return request
    }

    private func edit(
        _ id: String, of account: String, _ body: @escaping @Sendable (inout WebhookEndpoint) -> Void
    ) async throws(Refusal) -> WebhookEndpoint {
        try await change(account) { transaction in
            guard var endpoint = try Self.endpoint(id, in: transaction) else {
                return .failure(Refusal(.billingNotFound))
            }
            body(&endpoint)
            try transaction.put(Self.row(endpoint))
            return .success(endpoint)
        }
    }

    private func change<Value: Sendable>(
        _ account: String,
        _ body: @escaping @Sendable (any BillingTransaction) throws -> Result<Value, Refusal>
    ) async throws(Refusal) -> Value {
        try await stored { try await ledger.transact(account, body) }.get()
    }

    private func stored<Value>(_ body: () async throws -> Value) async throws(Refusal) -> Value {
        do {
            return try await body()
        } catch {
            logger.error("webhook endpoints cannot be kept", metadata: [LogKeys.error: "\(error)"])
            throw Refusal(.billingUnavailable)
        }
    }

    static func endpoints(in reader: any BillingReader) throws -> [WebhookEndpoint] {
        try reader.named(.webhookEndpoint, after: nil, limit: WebhookEndpoint.maximum).map(Self.read)
    }

    /// Also that of a budget, by its id.
    static func endpoint(_ id: String, in reader: any BillingReader) throws -> WebhookEndpoint? {
        let (kind, name) = place(of: id)
        return try reader.named(kind, name).map(Self.read)
    }

    static func row(_ endpoint: WebhookEndpoint) -> NamedRow {
        let (kind, name) = place(of: endpoint.id)
        return NamedRow(kind: kind, name: name, document: endpoint.stored.jsonText)
    }

    private static func place(of id: String) -> (kind: NamedRow.Kind, name: String) {
        BudgetReceiver.budget(ofEndpoint: id).map { (.budgetReceiver, $0) } ?? (.webhookEndpoint, id)
    }

    private static func read(_ row: NamedRow) throws -> WebhookEndpoint {
        guard let endpoint = WebhookEndpoint(stored: try JSONParser.parse(text: row.document)) else {
            throw BillingStoreError(.unreadable, "the webhook endpoint \(row.name) cannot be read")
        }
        return endpoint
    }
}
