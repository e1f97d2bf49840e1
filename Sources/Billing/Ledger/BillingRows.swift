// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// An account as the store keeps it. The store reads nothing in the document.
package struct AccountRow: Sendable, Hashable {
    /// The tenant's id.
    package var account: String
    /// 0 where it is not stored yet; each write adds one, and a reader that holds the same version need not read the document again.
    package var version: Int64
    /// JSON.
    package var document: String
    /// When time changes it next: a reset, an end, an expiry; nil = never. Sweeps look for it.
    package var dueAt: Timestamp?

    package init(account: String, version: Int64, document: String, dueAt: Timestamp?) {
        self.account = account
        self.version = version
        self.document = document
        self.dueAt = dueAt
    }
}

/// Which version of an account is stored.
package struct AccountVersion: Sendable, Hashable {
    package var account: String
    package var version: Int64

    package init(account: String, version: Int64) {
        self.account = account
        self.version = version
    }
}

/// A grant, kept for as long as the account is; the open ones are in the account's document too.
package struct GrantRow: Sendable, Hashable {
    package var id: String
    /// Unique within the account.
    package var key: String
    /// JSON: what it is and what became of it.
    package var document: String
    /// Order of listings.
    package var createdAt: Timestamp

    package init(id: String, key: String, document: String, createdAt: Timestamp) {
        self.id = id
        self.key = key
        self.document = document
        self.createdAt = createdAt
    }
}

/// A reservation. Open ones are those with an end.
package struct ReservationRow: Sendable, Hashable {
    package var id: String
    /// The caller's; unique within the account.
    package var key: String
    /// JSON.
    package var document: String
    /// When the hold returns by itself; nil where nothing is held any more.
    package var endsAt: Timestamp?
    package var createdAt: Timestamp

    package init(id: String, key: String, document: String, endsAt: Timestamp?, createdAt: Timestamp) {
        self.id = id
        self.key = key
        self.document = document
        self.endsAt = endsAt
        self.createdAt = createdAt
    }
}

/// A place taken: a hired agent, a worker or a workspace.
package struct SlotRow: Sendable, Hashable {
    /// What takes places.
    package enum Kind: String, Sendable, CaseIterable {
        case agent, worker, workspace
    }

    package var kind: Kind
    package var id: String
    /// Order of hiring within the account and kind.
    package var order: Int64
    /// JSON.
    package var document: String

    package init(kind: Kind, id: String, order: Int64, document: String) {
        self.kind = kind
        self.id = id
        self.order = order
        self.document = document
    }
}

/// A webhook that waits to be sent, or was: one message for one endpoint.
package struct DeliveryRow: Sendable, Hashable {
    /// Of this delivery.
    package var id: String
    package var account: String
    package var endpoint: String
    /// `webhook-id`: the same for every attempt and endpoint.
    package var message: String
    package var type: String
    /// The exact bytes that are signed and sent.
    package var body: String
    package var attempts: Int64
    /// When it is tried next; nil when it is done, given up, or its endpoint is disabled.
    package var nextAt: Timestamp?
    /// `waiting`, `delivered`, `failed`.
    package var state: String
    /// HTTP status of the last answer; nil where there was none.
    package var lastStatus: Int64?
    package var createdAt: Timestamp

    package init(
        id: String, account: String, endpoint: String, message: String, type: String, body: String, attempts: Int64 = 0,
        nextAt: Timestamp?, state: String = "waiting", lastStatus: Int64? = nil, createdAt: Timestamp
    ) {
        self.id = id
        self.account = account
        self.endpoint = endpoint
        self.message = message
        self.type = type
        self.body = body
        self.attempts = attempts
        self.nextAt = nextAt
        self.state = state
        self.lastStatus = lastStatus
        self.createdAt = createdAt
    }
}

/// An event of the payment provider as it was claimed.
package struct ProviderEventRow: Sendable, Hashable {
    /// How far it got.
    package enum State: String, Sendable, CaseIterable {
        /// Somebody works on it until the lease ends.
        case claimed
        case done
        /// It failed and is tried again.
        case failed
        /// No account is known for it yet.
        case parked
        /// Given up.
        case dead
    }

    package var id: String
    package var type: String
    /// The provider's own time.
    package var created: Timestamp
    package var state: State
    package var outcome: String?
    /// The account that it belongs to, as soon as that is known.
    package var account: String?
    /// The provider's customer, which links what is parked.
    package var customer: String?
    /// The provider's subscription, whose facts are folded together.
    package var subscription: String?
    /// JSON: the event in its short form.
    package var document: String
    /// End of the lease of a claimed one.
    package var leaseUntil: Timestamp?
    /// When a failed one is tried next.
    package var nextAt: Timestamp?
    package var attempts: Int64
    package var receivedAt: Timestamp

    package init(
        id: String, type: String, created: Timestamp, state: State, outcome: String? = nil, account: String? = nil,
        customer: String? = nil, subscription: String? = nil, document: String, leaseUntil: Timestamp? = nil,
        nextAt: Timestamp? = nil, attempts: Int64 = 0, receivedAt: Timestamp
    ) {
        self.id = id
        self.type = type
        self.created = created
        self.state = state
        self.outcome = outcome
        self.account = account
        self.customer = customer
        self.subscription = subscription
        self.document = document
        self.leaseUntil = leaseUntil
        self.nextAt = nextAt
        self.attempts = attempts
        self.receivedAt = receivedAt
    }
}

/// Usage that was acknowledged and waits to be applied by a worker.
package struct PendingUsageRow: Sendable, Hashable {
    package var id: String
    package var account: String
    /// JSON: checked events.
    package var payload: String
    package var receivedAt: Timestamp
    package var attempts: Int64
    /// Until when a worker has it; nil = nobody.
    package var leaseUntil: Timestamp?

    package init(
        id: String, account: String, payload: String, receivedAt: Timestamp, attempts: Int64 = 0,
        leaseUntil: Timestamp? = nil
    ) {
        self.id = id
        self.account = account
        self.payload = payload
        self.receivedAt = receivedAt
        self.attempts = attempts
        self.leaseUntil = leaseUntil
    }
}

/// A document of an account that is found by its name: a webhook endpoint, a meter report, a subscription of the provider.
package struct NamedRow: Sendable, Hashable {
    /// What kind of document.
    package enum Kind: String, Sendable, CaseIterable {
        case webhookEndpoint = "webhook_endpoint"
        case meterReport = "meter_report"
        /// A subscription that the account has or had; what it says is folded from its events.
        case providerSubscription = "provider_subscription"
        /// Where the events of a budget go, by the budget's name.
        case budgetReceiver = "budget_receiver"
        /// Acknowledged usage that could not be applied, and why.
        case deadUsage = "dead_usage"
    }

    package var kind: Kind
    package var name: String
    /// JSON.
    package var document: String

    package init(kind: Kind, name: String, document: String) {
        self.kind = kind
        self.name = name
        self.document = document
    }
}
