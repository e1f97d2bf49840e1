// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import Persistence

/// Values on their way to the server and back.
@Suite struct PostgreSQLValueTests {
    @Test(
        arguments: [
            (nil, nil), ("it's", "it's"), (-7, "-7"), (true, "t"), (false, "f"), (.bytes([0, 255]), "\\x00ff"),
            (.bytes([]), "\\x"), (.texts([]), "{}"),
            (.texts(["a", nil, "", "NULL", "b\"\\,{}"]), #"{"a",NULL,"","NULL","b\"\\,{}"}"#),
            (.integers([1, nil]), "{1,NULL}"), (.booleans([true, false, nil]), "{t,f,NULL}"),
            (.optional(nil as String?), nil), (.optional(5 as Int64?), "5"), (.optional([1] as [UInt8]?), "\\x01"),
        ] as [(PostgreSQLValue, String?)])
    func isWrittenAsTheServerReadsIt(value: PostgreSQLValue, text: String?) throws {
        #expect(try value.wireText() == text)
    }

    @Test(arguments: ["a\0", "\0"] as [PostgreSQLValue] + [.texts(["ok", "\0"])])
    func refusesNUL(value: PostgreSQLValue) {
        let error = #expect(throws: PostgreSQLError.self) { try value.wireText() }
        #expect(error?.code == .invalidValue)
    }

    @Test func readsColumns() throws {
        let row = PostgreSQLRow(["text", "-42", "t", "f", "\\x00ff", nil])
        #expect(try row.text(0) == "text")
        #expect(try row.integer(1) == -42)
        #expect(try row.boolean(2) && !row.boolean(3))
        #expect(try row.bytes(4) == [0, 255])
        #expect(try row.optionalText(5) == nil && row.optionalInteger(5) == nil)
        #expect(try row.optionalBoolean(5) == nil && row.optionalBytes(5) == nil)
        #expect(row.count == 6)
    }

    @Test(
        arguments: [
            { _ = try $0.text(1) }, { _ = try $0.text(2) }, { _ = try $0.integer(0) }, { _ = try $0.integer(1) },
            { _ = try $0.boolean(0) }, { _ = try $0.bytes(0) }, { _ = try $0.optionalText(-1) },
        ] as [@Sendable (PostgreSQLRow) throws -> Void])
    func refusesWhatIsNotThere(read: @Sendable (PostgreSQLRow) throws -> Void) {
        let error = #expect(throws: PostgreSQLError.self) { try read(PostgreSQLRow(["secret", nil])) }
        #expect(error?.code == .unreadable)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func survivesAnyColumn() {
        let random = SeededRandom(seed: 23)
        let parts = ["\\x", "0", "f", "t", "-", "9223372036854775808", "é", " ", "\\"]
        for _ in 0..<FuzzCases.count(2000) {
            let text = (0..<random.below(6)).map { _ in parts[random.below(parts.count)] }.joined()
            let row = PostgreSQLRow([text])
            if let number = try? row.integer(0) { #expect(Int64(text) == number) }
            if let bytes = try? row.bytes(0) { #expect(text.utf8.count == 2 + 2 * bytes.count) }
            if (try? row.boolean(0)) != nil { #expect(text == "t" || text == "f") }
        }
    }

    @Test(arguments: [
        (TenantScope.none, nil), (.platform, "_platform"), (.tenant("acme"), "acme"), (.owner(nil), "_platform"),
        (.owner("acme"), "acme"),
    ])
    func namesTheTenant(scope: TenantScope, tenant: String?) throws {
        #expect(try scope.tenantID() == tenant)
    }

    @Test(arguments: [
        ("", PostgreSQLError.Code.missingTenant), ("a\0b", .missingTenant),
        (String(repeating: "a", count: 257), .missingTenant), ("_platform", .reservedTenant),
    ])
    func refusesWhatIsNoTenant(name: String, code: PostgreSQLError.Code) {
        let error = #expect(throws: PostgreSQLError.self) { try TenantScope.tenant(name).tenantID() }
        #expect(error?.code == code)
    }
}
