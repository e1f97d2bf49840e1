// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct StripeSignatureTests {
    private static let body = Array(#"{"id":"evt_1"}"#.utf8)
    private static let now = Timestamp(seconds: 1_772_000_000)
    private static let secret = "whsec_a"

    private static func header(at seconds: Int64 = 1_772_000_000, secret: String = Self.secret) -> String {
        "t=\(seconds),v1=\(StripeDelivery.signature(of: body, at: seconds, secret: secret))"
    }

    private static func fault(
        _ header: String?, secrets: [String] = [Self.secret], body: [UInt8] = Self.body, at now: Timestamp = Self.now,
        tolerance: Int64 = 300
    ) -> StripeSignature.Fault? {
        do throws(StripeSignature.Fault) {
            try StripeSignature.check(
                header: header, body: body, secrets: Redacted(secrets), at: now, tolerance: tolerance)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("t=1,v1=\(Self.header().dropFirst(15))", StripeSignature.Fault.noMatch),
        ("t=1772000000", .noSignature), ("t=1772000000,v0=ab", .noSignature), ("", .malformedHeader),
        ("v1=ab", .malformedHeader), ("t=1,t=1,v1=ab", .malformedHeader), ("t=,v1=ab", .malformedHeader),
        ("t=1234567890123,v1=ab", .malformedHeader), ("t=-1,v1=ab", .malformedHeader),
        ("t=1x,v1=ab", .malformedHeader), ("t=1,v1=ab,", .malformedHeader), ("t=1,v1", .malformedHeader),
        ("t=1,v1=ab,junk", .malformedHeader), (" t = 1,v1=ab", .malformedHeader), ("t=1772000000,v1=", .noMatch),
        ("t=1772000000,v1=zz", .noMatch),
    ])
    func saysWhatIsWrong(_ header: String, _ fault: StripeSignature.Fault) {
        #expect(Self.fault(header) == fault)
    }

    @Test func aHeaderIsNeeded() {
        #expect(Self.fault(nil) == .missingHeader)
        #expect(Self.fault(Self.header()) == nil)
        #expect(Self.fault("  \(Self.header().replacing(",", with: " , "))  ") == nil)
    }

    @Test func everySecretIsActive() {
        #expect(Self.fault(Self.header(), secrets: ["whsec_b", Self.secret]) == nil)
        #expect(Self.fault(Self.header(), secrets: ["whsec_b"]) == .noMatch)
        #expect(Self.fault(Self.header(), secrets: []) == .noMatch)
    }

    @Test func theBytesThemselvesAreSigned() {
        #expect(Self.fault(Self.header(), body: Self.body + [0x20]) == .noMatch)
        #expect(
            Self.fault(Self.header().uppercased().replacing("T=", with: "t=").replacing("V1", with: "v1")) == .noMatch)
    }

    @Test func theToleranceHoldsToTheSecond() {
        for (age, fault) in [
            (300, nil), (301, .tooOld), (-300, nil), (-301, StripeSignature.Fault.inFuture),
        ] as [(Int64, StripeSignature.Fault?)] {
            #expect(Self.fault(Self.header(), at: Self.now.adding(seconds: age)) == fault, "\(age)")
        }
        // What does not fit is told before what is too old.
        #expect(Self.fault("t=1,v1=ab", at: Self.now) == .noMatch)
    }

    @Test func sixteenSignaturesAreTheMost() {
        let wrong = String(repeating: ",v1=ab", count: 15)
        let parts = Self.header().split(separator: ",")
        #expect(Self.fault("\(parts[0])\(wrong),\(parts[1])") == nil)
        #expect(Self.fault("\(parts[0])\(wrong),v1=cd,\(parts[1])") == .malformedHeader)
        #expect(Self.fault(Self.header() + ",x=" + String(repeating: "a", count: 4096)) == .malformedHeader)
    }

    @Test func aFaultIsABadRequestWithItsReason() {
        let refusal = StripeSignature.Fault.tooOld.refusal
        #expect(refusal.code == .billingInvalidSignature)
        #expect(refusal.status == 400)
        #expect(refusal.details == ["reason": "timestamp_too_old"])
    }

    @Test func noChangedHeaderIsTaken() {
        let random = SeededRandom(seed: 41)
        let good = Array(Self.header().utf8)
        for round in 0..<FuzzCases.count(3000) {
            var bytes = good
            for _ in 0...random.below(3) {
                switch random.below(3) {
                case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
                case 1: bytes.remove(at: random.below(bytes.count))
                default: bytes.insert(UInt8(random.below(128)), at: random.below(bytes.count + 1))
                }
            }
            let header = String(decoding: bytes, as: UTF8.self)
            guard Self.fault(header) == nil else { continue }
            // What is still taken says the same time and the same signature.
            let parts = header.split(separator: ",").map { ASCII.trimmed($0) }
            let wanted = Self.header().split(separator: ",").map(String.init)
            #expect(wanted.allSatisfy(parts.contains), "round \(round): \(header)")
        }
    }
}
