// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Metrics

/// What Tollgate asks of Stripe, as the metric's label says it.
enum StripeOperation: String, Sendable, CaseIterable {
    case createCustomer = "create_customer"
    case readCustomer = "read_customer"
    case createCheckout = "create_checkout"
    case readSession = "read_session"
    case createPortal = "create_portal"
    case readSubscription = "read_subscription"
    case cancelSubscription = "cancel_subscription"
    case changeSubscription = "change_subscription"
    case listInvoices = "list_invoices"
    case readPaymentIntent = "read_payment_intent"
    case readPrice = "read_price"
    case reportUsage = "report_usage"
}

/// What is counted of calls to Stripe. Every label value exists from the start.
struct StripeMetrics: Sendable {
    private let requests: [String: Counter]

    init(factory: any MetricsFactory) {
        var requests: [String: Counter] = [:]
        for operation in StripeOperation.allCases {
            for result in StripeFailure.Result.allCases {
                let counter = Counter(
                    label: "tollgate_stripe_requests_total",
                    dimensions: [("operation", operation.rawValue), ("result", result.rawValue)], factory: factory)
                counter.increment(by: 0)
                requests[Self.key(operation, result)] = counter
            }
        }
        self.requests = requests
    }

    func called(_ operation: StripeOperation, _ result: StripeFailure.Result) {
        requests[Self.key(operation, result)]?.increment()
    }

    private static func key(_ operation: StripeOperation, _ result: StripeFailure.Result) -> String {
        "\(operation.rawValue) \(result.rawValue)"
    }
}
