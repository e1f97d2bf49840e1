// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Synchronization

/// Stripe, as far as Tollgate uses it: prices, checkout and portal sessions, meter events and changes of subscriptions, which no other local
/// stand-in has; in the older shape of its objects or in the newer. It keeps idempotency keys as Stripe does.
package final class StripeFake: Sendable {
    /// What it knows.
    package struct State: Sendable {
        package var customers: [String: JSONValue] = [:]
        package var subscriptions: [String: JSONValue] = [:]
        package var sessions: [String: JSONValue] = [:]
        package var payments: [String: JSONValue] = [:]
        package var prices: [String: JSONValue] = [:]
        package var invoices: [JSONValue] = []
        /// Forms of writes that had an effect, by path.
        package var effects: [(path: String, form: [String: String])] = []
        fileprivate var answers: [String: (request: String, answer: LoopbackHTTPServer.Answer)] = [:]
        fileprivate var faults: [LoopbackHTTPServer.Answer] = []
    }

    private let state = Mutex(State())
    private let key: String

    /// - Parameter key: the only one that is let in.
    package init(key: String = "sk_test_fake") { self.key = key }

    /// What it knows now.
    package var known: State { state.withLock { $0 } }

    /// Teaches it.
    package func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    /// Answers the next requests so, one after another, before it does anything.
    package func failing(_ answers: [LoopbackHTTPServer.Answer]) { state.withLock { $0.faults = answers } }

    /// An error as Stripe writes it.
    package static func error(
        _ status: Int, type: String = "invalid_request_error", code: String? = nil,
        headers: [(name: String, value: String)] = []
    ) -> LoopbackHTTPServer.Answer {
        var error: JSONObject = ["type": .string(type), "message": "No such thing as sk_test_fake: secret text"]
        error["code"] = code.map(JSONValue.string)
        var answer = LoopbackHTTPServer.Answer.json(
            JSONValue.object(["error": .object(error)]).jsonText, status: status)
        answer.headers += headers
        return answer
    }

    /// Answers a request.
    package func answer(_ request: LoopbackHTTPServer.Request) -> LoopbackHTTPServer.Answer {
        guard request.header("authorization") == "Bearer \(key)" else { return Self.error(401) }
        return state.withLock { state in
            if !state.faults.isEmpty { return state.faults.removeFirst() }
            let form = Self.form(String(decoding: request.body, as: UTF8.self))
            guard request.method != "GET" else { return Self.read(request, state) }
            guard let key = request.header("idempotency-key") else {
                return Self.error(400, code: "idempotency_key_missing")
            }
            let asked = "\(request.method) \(request.target) \(String(decoding: request.body, as: UTF8.self))"
            if let before = state.answers[key] {
                return before.request == asked ? before.answer : Self.error(400, type: "idempotency_error")
            }
            let answer = Self.write(request, form, &state)
            if answer.status < 500 { state.answers[key] = (asked, answer) }
            if answer.status < 300 { state.effects.append((request.path, form)) }
            return answer
        }
    }

    private static func read(_ request: LoopbackHTTPServer.Request, _ state: State) -> LoopbackHTTPServer.Answer {
        let parts = request.path.split(separator: "/").map(String.init)
        guard let id = parts.last else { return error(404) }
        let found: JSONValue? =
            switch parts.dropFirst().dropLast().joined(separator: "/") {
            case "customers": state.customers[id]
            case "subscriptions": state.subscriptions[id]
            case "checkout/sessions": state.sessions[id]
            case "payment_intents": state.payments[id]
            case "prices": state.prices[id]
            case "" where id == "invoices": ["object": "list", "data": .array(state.invoices)]
            default: nil
            }
        return found.map { .json($0.jsonText) } ?? error(404, code: "resource_missing")
    }

    private static func write(
        _ request: LoopbackHTTPServer.Request, _ form: [String: String], _ state: inout State
    ) -> LoopbackHTTPServer.Answer {
        let number = state.effects.count + 1
        let parts = request.path.split(separator: "/").map(String.init)
        switch (request.method, parts.dropFirst().joined(separator: "/")) {
        case ("POST", "customers"):
            let customer: JSONValue = ["id": .string("cus_\(number)"), "invoice_settings": [:]]
            state.customers["cus_\(number)"] = customer
            return .json(customer.jsonText)
        case ("POST", "checkout/sessions"):
            guard let price = form["line_items[0][price]"], state.prices[price] != nil else {
                return error(400, code: "resource_missing")
            }
            return .json(#"{"id":"cs_\#(number)","url":"https://checkout.example/\#(number)"}"#)
        case ("POST", "billing_portal/sessions"):
            return .json(#"{"id":"bps_\#(number)","url":"https://portal.example/\#(number)"}"#)
        case ("POST", "billing/meter_events"): return .json(#"{"object":"billing.meter_event"}"#)
        case (let method, _) where parts.count == 3 && parts[1] == "subscriptions":
            guard var object = state.subscriptions[parts[2]]?.objectValue else {
                return error(404, code: "resource_missing")
            }
            if method == "DELETE" { object["status"] = "canceled" }
            if form["cancel_at_period_end"] == "true" { object["cancel_at_period_end"] = true }
            if let price = form["items[0][price]"], let item = form["items[0][id]"] {
                object["items"] = ["data": [["id": .string(item), "price": ["id": .string(price)]]]]
            }
            state.subscriptions[parts[2]] = .object(object)
            return .json(JSONValue.object(object).jsonText)
        default: return error(404)
        }
    }

    /// Names and values of a form.
    package static func form(_ text: String) -> [String: String] {
        var members: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            members[decoded(parts[0])] = parts.count == 2 ? decoded(parts[1]) : ""
        }
        return members
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self))?.first
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
