// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// What Stripe sends: an event, and the header that proves it.
package enum StripeDelivery {
    /// The lower-case hex of one signature.
    package static func signature(of body: [UInt8], at seconds: Int64, secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(seconds).".utf8) + body, using: SymmetricKey(data: Array(secret.utf8)))
        return Hex.encode(Array(code))
    }

    /// `t=…,v1=…`
    package static func header(of body: [UInt8], at now: Timestamp, secret: String) -> String {
        "t=\(now.seconds),v1=\(signature(of: body, at: now.seconds, secret: secret))"
    }

    /// The bytes of an event.
    package static func event(
        _ id: String, _ type: String, created: Int64, livemode: Bool = false, _ object: JSONValue
    ) -> [UInt8] {
        let event: JSONValue = [
            "id": .string(id), "object": "event", "type": .string(type), "created": .int(created),
            "livemode": .bool(livemode), "data": ["object": object],
        ]
        return event.encoded()
    }

    /// A subscription in the older shape, with period and customer as texts, or in the newer one.
    package static func subscription(
        _ id: String, customer: String, status: String, price: String, period: Range<Int64>, isNew: Bool = true,
        account: String? = nil
    ) -> JSONValue {
        let start = JSONValue.int(period.lowerBound)
        let end = JSONValue.int(period.upperBound)
        let metadata: JSONValue = account.map { ["tollgate_account": .string($0)] } ?? [:]
        guard isNew else {
            return [
                "id": .string(id), "object": "subscription", "customer": .string(customer), "status": .string(status),
                "cancel_at_period_end": false, "current_period_start": start, "current_period_end": end,
                "metadata": metadata, "items": ["data": [["id": "si_1", "plan": ["id": .string(price)]]]],
            ]
        }
        return [
            "id": .string(id), "object": "subscription", "customer": ["id": .string(customer)],
            "status": .string(status), "cancel_at_period_end": false, "metadata": metadata,
            "items": [
                "data": [
                    [
                        "id": "si_1", "price": ["id": .string(price)], "current_period_start": start,
                        "current_period_end": end,
                    ]
                ]
            ],
        ]
    }
}
