// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

extension ProviderEvent {
    /// The document of the event's row: members that are not known are left out, times are UNIX seconds.
    package var json: JSONValue {
        var object: JSONObject = ["id": .string(id), "type": .string(type), "created": .int(created.seconds)]
        let texts: [(String, String?)] = [
            ("account", account), ("customer", customer), ("subscription", subscription), ("invoice", invoice),
            ("session", session), ("payment_intent", paymentIntent), ("mode", mode),
            ("payment_status", paymentStatus), ("status", status), ("metadata_plan", metadataPlan), ("pack", pack),
            ("plan", plan),
        ]
        for (name, text) in texts { object[name] = text.map(JSONValue.string) }
        if !prices.isEmpty { object["prices"] = .strings(prices) }
        object["period_start"] = periodStart.map { .int($0.seconds) }
        object["period_end"] = periodEnd.map { .int($0.seconds) }
        object["subscribed_at"] = subscribedAt.map { .int($0.seconds) }
        object["cancel_at_period_end"] = cancelAtPeriodEnd.map(JSONValue.bool)
        object["livemode"] = isLive.map(JSONValue.bool)
        if isOwn { object["own"] = true }
        return .object(object)
    }

    /// Reads the short form; nil where it is none.
    package init?(json: JSONValue) {
        guard let id = json["id"]?.stringValue, let type = json["type"]?.stringValue,
            let created = json["created"]?.intValue
        else { return nil }
        self.init(id: id, type: type, created: Timestamp(seconds: created))
        func text(_ name: String) -> String? { json[name]?.stringValue }
        func time(_ name: String) -> Timestamp? { json[name]?.intValue.map { Timestamp(seconds: $0) } }
        account = text("account")
        isOwn = json["own"]?.boolValue ?? false
        customer = text("customer")
        subscription = text("subscription")
        invoice = text("invoice")
        session = text("session")
        paymentIntent = text("payment_intent")
        mode = text("mode")
        paymentStatus = text("payment_status")
        status = text("status")
        prices = (json["prices"]?.arrayValue ?? []).compactMap(\.stringValue)
        periodStart = time("period_start")
        periodEnd = time("period_end")
        subscribedAt = time("subscribed_at")
        cancelAtPeriodEnd = json["cancel_at_period_end"]?.boolValue
        isLive = json["livemode"]?.boolValue
        metadataPlan = text("metadata_plan")
        pack = text("pack")
        plan = text("plan")
    }

    /// Reads the document of a row; nil where it is none.
    package init?(document: String) {
        guard let json = try? JSONParser.parse(text: document) else { return nil }
        self.init(json: json)
    }
}
