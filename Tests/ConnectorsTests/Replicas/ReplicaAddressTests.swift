// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct ReplicaAddressTests {
    @Test(arguments: ["http://10.0.0.5:8080", "https://10.0.0.5:8443", "http://[fd00::1]:8080"])
    func readsWhatALeaseSays(text: String) {
        #expect(ReplicaAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", "10.0.0.5:8080", "http://10.0.0.5", "http://tollgate.acme.svc:8080", "ftp://10.0.0.5:1",
        "http://fd00::1:80",
        "http://10.0.0.5:0", "http://10.0.0.5:65536", "http://10.0.0.5:80/", "http://10.0.0.5:80@evil:90",
        "http://evil@10.0.0.5:80", "http://10.0.0.5:-1", "http://[10.0.0.5:80", "HTTP://10.0.0.5:80",
    ])
    func refusesEverythingElse(text: String) {
        #expect(ReplicaAddress(text) == nil)
    }

    @Test func readsAnyText() {
        let random = SeededRandom(seed: 17)
        let bytes = Array("htps:/[]@.0123456789abcdef ".utf8)
        for _ in 0..<FuzzCases.count(5000) {
            let text =
                "http://"
                + String(decoding: random.bytes(random.below(24)).map { bytes[Int($0) % bytes.count] }, as: UTF8.self)
            if let address = ReplicaAddress(text) { #expect(ReplicaAddress(address.description) == address) }
        }
    }
}
