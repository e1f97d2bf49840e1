// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct StripeEventReaderTests {
    private static func read(_ type: String, _ object: JSONValue) throws -> StripeEventReader.Reading {
        try StripeEventReader.read(StripeDelivery.event("evt_1", type, created: 5, object))
    }

    private static func event(_ type: String, _ object: JSONValue) throws -> ProviderEvent {
        guard case .event(let event) = try read(type, object) else {
            throw ContractBroken(description: "\(type) is not read")
        }
        return event
    }

    @Test func bothShapesOfASubscriptionAreOne() throws {
        let shapes = try [true, false].map {
            try Self.event(
                "customer.subscription.updated",
                StripeDelivery.subscription(
                    "sub_1", customer: "cus_1", status: "active", price: "price_1", period: 10..<20, isNew: $0,
                    account: "acme"))
        }
        #expect(shapes[0] == shapes[1])
        #expect(shapes[0].periodStart == Timestamp(seconds: 10))
        #expect(shapes[0].periodEnd == Timestamp(seconds: 20))
        #expect(shapes[0].account == "acme")
        #expect(shapes[0].isOwn)
        #expect(shapes[0].isLive == false)
    }

    @Test(
        arguments: [
            (
                #"{"id":"in_1","subscription":"sub_1","subscription_details":{"metadata":{"tollgate_account":"a"}}}"#,
                "a"
            ),
            (#"{"id":"in_1","subscription":{"id":"sub_1"},"metadata":{"tollgate_account":"b"}}"#, "b"),
            (#"{"id":"in_1","parent":{"subscription_details":{"subscription":{"id":"sub_1"},"metadata":{}}}}"#, nil),
        ] as [(String, String?)])
    func invoicesNameTheirSubscriptionInManyPlaces(_ text: String, _ account: String?) throws {
        let event = try Self.event("invoice.paid", JSONParser.parse(text: text))
        #expect(event.subscription == "sub_1")
        #expect(event.invoice == "in_1")
        #expect(event.account == account)
    }

    @Test(arguments: [
        #""payment_intent":"pi_1""#, #""payment_intent":{"id":"pi_1"}"#,
        #""payments":{"data":[{"payment":{"type":"charge","charge":"ch_1"}},{"payment":{"payment_intent":"pi_1"}}]}"#,
    ])
    func anInvoiceNamesItsPaymentInEachVersion(_ member: String) throws {
        let text = #"{"id":"in_1","subscription":"sub_1",\#(member)}"#
        #expect(try Self.event("invoice.paid", JSONParser.parse(text: text)).paymentIntent == "pi_1")
    }

    @Test func aSessionNamesItsAccountBeforeItsMetadata() throws {
        let event = try Self.event(
            "checkout.session.completed",
            [
                "id": "cs_1", "mode": "payment", "payment_status": "paid", "client_reference_id": "acme",
                "payment_intent": ["id": "pi_1"], "customer": "cus_1",
                "metadata": ["tollgate_account": "other", "tollgate_pack": "credits-1000"],
            ])
        #expect(event.account == "acme")
        #expect(event.isOwn)
        #expect(event.pack == "credits-1000")
        #expect(event.paymentIntent == "pi_1")
        #expect(event.isSale)
        #expect(event.fact == nil)
    }

    @Test(arguments: [
        ("customer.subscription.updated", #"{"status":"active"}"#, "data.object.id"),
        ("customer.subscription.updated", #"{"id":"sub_1"}"#, "data.object.status"),
        ("invoice.paid", "{}", "data.object.id"), ("invoice.paid", "null", "data.object"),
        ("checkout.session.completed", #"{"id":"cs_1"}"#, "data.object.mode"),
        ("checkout.session.completed", #"{"id":"cs_1","mode":"payment"}"#, "data.object.payment_status"),
        (
            "checkout.session.completed", #"{"id":"cs_1","mode":"subscription","payment_status":"paid"}"#,
            "data.object.subscription"
        ),
    ])
    func whatIsNeededAndMissingIsNamed(_ type: String, _ object: String, _ missing: String) throws {
        guard case .incomplete(let event, let found) = try Self.read(type, JSONParser.parse(text: object)) else {
            Issue.record("\(type) is read")
            return
        }
        #expect(found == missing)
        #expect(event.id == "evt_1")
    }

    @Test func typesThatAreNotUsedAreReadAsSuch() throws {
        let event = try Self.event("customer.created", .null)
        #expect(event.kind == nil)
        #expect(event.fact == nil)
    }

    @Test(
        arguments: [
            ("[]", ErrorCode.requestInvalid, "id"), ("{}", .requestInvalid, "id"),
            (#"{"id":"e"}"#, .requestInvalid, "type"), (#"{"id":"e","type":"t"}"#, .requestInvalid, "created"),
            (#"{"id":"e","type":"t","created":-1}"#, .requestInvalid, "created"), ("{", .requestMalformed, nil),
            ("", .requestMalformed, nil),
        ] as [(String, ErrorCode, String?)])
    func whatIsNoEventIsRefused(_ text: String, _ code: ErrorCode, _ field: String?) {
        #expect(throws: Refusal.self) { try StripeEventReader.read(Array(text.utf8)) }
        do throws(Refusal) {
            _ = try StripeEventReader.read(Array(text.utf8))
        } catch {
            #expect(error.code == code)
            #expect(error.details?["field"]?.stringValue == field)
        }
    }

    @Test func moreThanAMebibyteIsRefused() {
        let error = #expect(throws: Refusal.self) {
            try StripeEventReader.read([UInt8](repeating: 0x20, count: StripeEventReader.maximumBytes + 1))
        }
        #expect(error?.code == .requestTooLarge)
    }

    /// Whatever arrives is refused or read, and what was read is read again from its row.
    @Test func changedEventsAreReadOrRefused() throws {
        let random = SeededRandom(seed: 11)
        let good = StripeDelivery.event(
            "evt_1", "customer.subscription.created", created: 5,
            StripeDelivery.subscription(
                "sub_1", customer: "cus_1", status: "active", price: "price_1", period: 10..<20, account: "acme"))
        var taken = 0
        for _ in 0..<FuzzCases.count(3000) {
            var bytes = good
            for _ in 0...random.below(2) { bytes[random.below(bytes.count)] = UInt8(random.below(128)) }
            guard case .event(let event)? = try? StripeEventReader.read(bytes) else { continue }
            taken += 1
            #expect(ProviderEvent(document: event.json.jsonText) == event)
        }
        #expect(taken > 100)
    }
}
