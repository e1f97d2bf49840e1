// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import Persistence

/// Addresses of databases, which hold a password and never show it.
@Suite struct PostgreSQLAddressTests {
    @Test(arguments: [
        ("postgresql://gate:pw@db.example:5433/tollgate?sslmode=verify-full", "gate@db.example:5433/tollgate"),
        ("postgres://db.example", "db.example/"),
        ("postgresql:///tollgate?host=/var/run/postgresql", "/var/run/postgresql/tollgate"),
        ("host=db.example user=gate password='p w' dbname=tollgate", "gate@db.example/tollgate"),
        ("postgresql://a%40b:p%2Fw@one:1,two:2/x", "a@b@one,two:1,2/x"),
        ("dbname=x", "the local socket/x"),
    ])
    func readsWhatLibpqReads(text: String, shown: String) throws {
        let address = try PostgreSQLAddress(text)
        #expect(address.description == shown)
        #expect("\(address.text)" == "[REDACTED]")
        #expect(address.options["password"] == nil)
    }

    @Test(arguments: [
        "", "db.example", "https://db.example", "postgresql://u:p/w@host/d", "postgresql://u:12/w@host/d",
        "postgresql://u:12?w@host/d", "postgresql://u:12#w@host/d",
        "host=a port=x", "host=a nonsense=b", "postgresql://[::1/x",
        "host=a\0b", "postgresql://h/" + String(repeating: "a", count: 5000),
    ])
    func refusesTheRestWithoutRepeatingIt(text: String) {
        let error = #expect(throws: PostgreSQLError.self) { try PostgreSQLAddress(text) }
        #expect(error?.code == .invalidAddress)
        #expect(error?.message.contains("A text of \(text.utf8.count) bytes") == true)
    }

    @Test(arguments: [
        ("postgresql://127.0.0.1/x", true, false), ("postgresql://localhost/x", true, false), ("dbname=x", true, false),
        ("postgresql://[::1]/x", true, false), ("host=/run/pg dbname=x", true, false),
        ("postgresql://db.example/x", false, true), ("postgresql://db.example/x?sslmode=require", false, true),
        ("postgresql://db.example/x?sslmode=verify-full", false, false),
        ("postgresql://db.example/x?sslmode=verify-ca", false, false),
        ("postgresql://localhost,db.example/x", false, true),
    ])
    func knowsWhoCouldListenIn(text: String, isLocal: Bool, isExposed: Bool) throws {
        let address = try PostgreSQLAddress(text)
        #expect(address.isLocal == isLocal)
        #expect(address.isExposed == isExposed)
    }

    @Test func takesThePasswordOutOfMessages() throws {
        let address = try PostgreSQLAddress("postgresql://gate:s%C3%A9cret@host/x")
        #expect(
            address.redacted("no séc, sécret!\nand sécretsécret\n") == "no séc, [REDACTED]!; and [REDACTED][REDACTED]")
        #expect(try PostgreSQLAddress("host=x password=''").redacted("as it is") == "as it is")
    }

    /// Whatever the text is, it is read or refused, and a password that was read is not shown.
    @Test func survivesAnyText() {
        let random = SeededRandom(seed: 17)
        let parts = [
            "postgresql://", "postgres:", "//", "@", ":", "/", "?", "&", "=", "%", "%41", "%zz", "host", "port=1",
            "password",
            "secretword", " ", "'", "\\", "[", "]", "::1", ",", "sslmode", "é", "\n",
        ]
        for _ in 0..<FuzzCases.count(2000) {
            let text = (0..<random.below(12)).map { _ in parts[random.below(parts.count)] }.joined()
            guard let address = try? PostgreSQLAddress(text) else { continue }
            #expect(address.options["password"] == nil)
            #expect(!"\(address.text)".contains("secretword"))
        }
    }
}
