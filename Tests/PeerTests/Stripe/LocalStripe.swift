// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Connectors
internal import Essentials
internal import Logging
internal import Metrics
internal import TestSupport

/// A stand-in for Stripe that keeps customers, plans and subscriptions, takes test cards and signs its webhooks.
struct LocalStripe {
    static let secret = "whsec_local"
    /// A card that pays, and a debit that is taken at first and fails a second later.
    static let good = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123"
    static let failing =
        "type=sepa_debit&sepa_debit[iban]=DE62370400440532013001&billing_details[name]=N"
        + "&billing_details[email]=n@a.example"
    static let key = "sk_test_local"

    let port: Int
    let client: StripeClient

    /// Runs `body` while it serves and posts its webhooks to that port and path of 127.0.0.1.
    static func with<Value>(
        webhooks: Int, path: String = "/", _ body: (LocalStripe) async throws -> Value
    ) async throws -> Value {
        let port = try FreePort.next()
        return try await PeerProcess.with(
            name: "localstripe", executable: PeerPaths.path(of: .localstripe),
            arguments: ["--port", "\(port)", "--from-scratch"], folder: TemporaryDirectory()
        ) { process in
            try await process.wait(forPort: port)
            let client = StripeClient(
                settings: try StripeSettings(base: "http://127.0.0.1:\(port)"), key: { Redacted(Self.key) },
                clock: SystemWallClock(), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                metricsFactory: NOOPMetricsHandler.instance)
            let stripe = LocalStripe(port: port, client: client)
            let hook: JSONValue = ["url": .string("http://127.0.0.1:\(webhooks)\(path)"), "secret": .string(secret)]
            let answer = try await PlainHTTP.send(
                "POST", "/_config/webhooks/tollgate", port: port, headers: [("Content-Type", "application/json")],
                body: hook.encoded())
            guard answer.status == 200 else { throw PeerFault(message: "webhooks: \(answer.status)") }
            return try await body(stripe)
        }
    }

    /// Posts a form of plain words, as a front end would.
    @discardableResult
    func post(_ path: String, _ form: String) async throws -> JSONValue {
        let answer = try await PlainHTTP.send(
            "POST", path, port: port,
            headers: [
                ("Authorization", "Bearer \(Self.key)"), ("Content-Type", "application/x-www-form-urlencoded"),
            ], body: Array(form.utf8))
        guard answer.status == 200 else { throw PeerFault(message: "\(path): \(answer.status) \(answer.text)") }
        return try answer.json()
    }

    /// A plan whose id is the price id of the catalogue.
    func makePlan(_ id: String, cents: Int) async throws {
        try await post("/v1/plans", "id=\(id)&amount=\(cents)&currency=usd&interval=month&product[name]=Plan")
    }

    /// Has a customer pay so.
    func attach(_ method: String, to customer: String) async throws {
        let method = try await post("/v1/payment_methods", method)
        let id = method["id"]?.stringValue ?? ""
        try await post("/v1/payment_methods/\(id)/attach", "customer=\(customer)")
        try await post("/v1/customers/\(customer)", "invoice_settings[default_payment_method]=\(id)")
    }

    /// Subscribes a customer.
    ///
    /// - Returns: the id of the subscription.
    func subscribe(_ customer: String, to plan: String, account: String) async throws -> String {
        let made = try await post(
            "/v1/subscriptions", "customer=\(customer)&items[0][plan]=\(plan)&metadata[tollgate_account]=\(account)")
        return made["id"]?.stringValue ?? ""
    }
}
