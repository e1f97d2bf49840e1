// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Testing

@Suite struct RequestNormalizerTests {
    @Test(arguments: [
        ("API.Example.com", "api.example.com"), ("a.example.com.:443", "a.example.com"), ("a:65535", "a"),
        ("[2001:DB8::1]:80", "[2001:db8::1]"), ("[::1]", "[::1]"), ("a_b.c-d", "a_b.c-d"), ("10.0.0.1:80", "10.0.0.1"),
        ("a:", nil), ("a:0", nil), ("a:65536", nil), ("a:8 ", nil), ("a..b", nil), (".a", nil), ("a..", nil),
        (".", nil),
        ("", nil), ("a b", nil), ("u@h", nil), ("[::1", nil), ("[::1]x", nil), ("[1.2.3.4]", nil), ("a/b", nil),
        ("é", nil),
        (String(repeating: "a", count: 64), nil), (String(repeating: "a.", count: 127) + "a", nil),
    ])
    func normalisesHosts(_ raw: String, _ expected: String?) {
        #expect(RequestNormalizer.host(raw) == expected)
    }

    @Test(arguments: [("GET", true), ("get", true), ("M-SEARCH", true), ("", false), ("GE T", false), ("GÉT", false)])
    func readsMethods(_ raw: String, _ isGood: Bool) {
        #expect(RequestNormalizer.method(raw) == (isGood ? raw : nil))
        #expect(RequestNormalizer.method(nil) == nil)
        #expect(RequestNormalizer.method(String(repeating: "A", count: 33)) == nil)
    }
}
