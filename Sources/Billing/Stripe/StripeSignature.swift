// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import Essentials

/// Tests who sent an event: `Stripe-Signature: t=<unix>,v1=<hex>[,v1=…]` over the raw bytes, before anything in them is read.
package enum StripeSignature {
    /// Why a signature does not hold, in the order in which it is tested.
    package enum Fault: String, Error, Sendable, CaseIterable {
        case missingHeader = "missing_header"
        /// A part without `=`, not exactly one `t`, a `t` that is not 1 to 12 digits; a header beyond its bounds too.
        case malformedHeader = "malformed_header"
        case noSignature = "no_v1_signature"
        case noMatch = "no_match"
        case tooOld = "timestamp_too_old"
        case inFuture = "timestamp_in_future"

        /// 400 `billing.invalid_signature`, the reason in its details.
        package var refusal: Refusal {
            Refusal(.billingInvalidSignature, details: ["reason": .string(rawValue)])
        }
    }

    /// The most bytes of a header, and signatures in it.
    package static let maximumHeaderBytes = 4096
    package static let maximumSignatures = 16

    private struct Header {
        /// As it was sent: it is signed as text.
        var timestamp: String
        var seconds: Int64
        var signatures: [[UInt8]]
    }

    /// Whether one of the active secrets signed the body within the tolerance.
    ///
    /// - Parameters:
    ///   - header: nil where there was none.
    ///   - secrets: whole texts, `whsec_` included. All of them are active.
    ///   - tolerance: in seconds, before and after.
    /// - Throws: the first fault.
    package static func check(
        header: String?, body: [UInt8], secrets: Redacted<[String]>, at now: Timestamp, tolerance: Int64 = 300
    ) throws(Fault) {
        guard let header else { throw .missingHeader }
        let parts = try read(header)
        guard !parts.signatures.isEmpty else { throw .noSignature }
        let signed = Array("\(parts.timestamp).".utf8) + body
        var isSigned = false
        // Every pair is compared, whichever fits: how long it takes says nothing.
        for secret in secrets.revealed {
            let code = HMAC<SHA256>.authenticationCode(
                for: signed, using: SymmetricKey(data: Array(secret.utf8)))
            let wanted = Array(Hex.encode(Array(code)).utf8)
            for signature in parts.signatures where isEqual(signature, wanted) { isSigned = true }
        }
        guard isSigned else { throw .noMatch }
        let age = now.seconds - parts.seconds
        guard age <= tolerance else { throw .tooOld }
        guard -age <= tolerance else { throw .inFuture }
    }

    private static func read(_ header: String) throws(Fault) -> Header {
        guard header.utf8.count <= maximumHeaderBytes else { throw .malformedHeader }
        var timestamps: [String] = []
        var signatures: [[UInt8]] = []
        for part in header.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let text = ASCII.trimmed(String(decoding: part, as: UTF8.self))
            guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { throw .malformedHeader }
            let value = text[text.utf8.index(after: mark)...]
            switch text[..<mark] {
            case "t": timestamps.append(String(value))
            case "v1": signatures.append(Array(value.utf8))
            default: break
            }
        }
        guard let timestamp = timestamps.first, timestamps.count == 1, (1...12).contains(timestamp.utf8.count),
            timestamp.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int64(timestamp),
            signatures.count <= maximumSignatures
        else { throw .malformedHeader }
        return Header(timestamp: timestamp, seconds: seconds, signatures: signatures)
    }

    /// In a time that depends on nothing but the lengths.
    private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
