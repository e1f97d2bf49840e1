// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Billing
internal import Essentials
internal import TestSupport
internal import Testing

/// Our check of signatures against Stripe's own library, both ways.
@Suite(.timeLimit(.minutes(5))) struct StripeLibraryTests {
    private static let secret = "whsec_library_5f0c"
    private static let body = #"{"id":"evt_1","object":"event","type":"invoice.paid","created":1772366400,"é":"ü"}"#
    private static let now = Timestamp(seconds: 1_772_366_400)

    private static func ask(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let folder = try TemporaryDirectory()
        try folder.write(body, to: "body.json")
        let (status, output) = try await PeerProcess.run(
            name: "stripe-library", executable: PeerPaths.path(of: .stripeLibrary),
            arguments: arguments + [folder.path("body.json")], folder: folder)
        return (status, ASCII.trimmed(output))
    }

    @Test func itsHeadersAreTakenAndChangedOnesAreNot() async throws {
        let (status, header) = try await Self.ask(["sign", Self.secret, "\(Self.now.seconds)"])
        #expect(status == 0)
        func fault(_ header: String, _ body: String = Self.body) -> StripeSignature.Fault? {
            do throws(StripeSignature.Fault) {
                try StripeSignature.check(
                    header: header, body: Array(body.utf8), secrets: Redacted([Self.secret]), at: Self.now)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(header) == nil)
        #expect(fault(header, Self.body + " ") == .noMatch)
        #expect(fault(header.replacing("t=\(Self.now.seconds)", with: "t=\(Self.now.seconds - 1)")) == .noMatch)
        let start = header.utf8.distance(
            from: header.startIndex, to: try #require(header.firstRange(of: "v1=")?.upperBound))
        for index in start..<header.utf8.count {
            var bytes = Array(header.utf8)
            bytes[index] = bytes[index] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            #expect(fault(String(decoding: bytes, as: UTF8.self)) == .noMatch)
        }
    }

    @Test func ourHeadersAreTakenByIt() async throws {
        let header = StripeDelivery.header(of: Array(Self.body.utf8), at: Self.now, secret: Self.secret)
        let taken = try await Self.ask(["check", Self.secret, header])
        #expect(taken.status == 0)
        #expect(taken.output == "invoice.paid")
        let refused = try await Self.ask(["check", "whsec_other", header])
        #expect(refused.status != 0)
    }
}
