// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Testing

@Suite struct TextRulesTests {
    @Test func refusesTooManyMembers() throws {
        let members = (0..<256).map { JSONValue.string("m\($0)") }
        #expect(try TextRules.stringSet(.array(members)).count == 256)
        #expect(throws: TextRuleFault.tooManyMembers) { try TextRules.stringSet(.array(members + ["more"])) }
        #expect(try TextRules.stringSet(.array(members + ["m1"])).count == 256)
        #expect(throws: TextRuleFault.tooManyMembers) {
            try TextRules.nameSet(union: [.array(members), "one,two"])
        }
    }

    @Test func refusesLongMembers() throws {
        let longest = String(repeating: "x", count: 256)
        #expect(try TextRules.stringSet(.string(longest)) == [longest])
        #expect(throws: TextRuleFault.memberTooLong) { try TextRules.stringSet(.string(longest + "x")) }
    }

    @Test func refusesDeepValues() throws {
        func nested(_ depth: Int) -> JSONValue { (0..<depth).reduce("x") { value, _ in [value] } }
        #expect(try TextRules.stringSet(nested(8)) == ["x"])
        #expect(throws: TextRuleFault.tooDeep) { try TextRules.stringSet(nested(9)) }
        #expect(try TextRules.stringSet(.string(nested(8).jsonText)) == ["x"])
        #expect(throws: TextRuleFault.tooDeep) { try TextRules.stringSet(.string(nested(9).jsonText)) }
        #expect(throws: TextRuleFault.tooDeep) { try TextRules.stringSet(.string(nested(200).jsonText)) }
        #expect(throws: TextRuleFault.tooDeep) { try TextRules.nameSet(nested(9)) }
    }

    @Test func keepsNamesWhole() throws {
        #expect(try TextRules.nameSet(["a,b", "  super admin "]) == ["a,b", "super admin"])
        #expect(try TextRules.nameSet("[\"a,b\",{\"x\":\"y\"}]") == ["a,b"])
        #expect(try TextRules.nameSet("{\"x\":\"y\"}") == [])
    }

    @Test func comparesBytesAndNotLooks() {
        #expect("\u{00E9}" == "e\u{0301}")
        #expect(!"\u{00E9}".isExactly("e\u{0301}"))
    }

    @Test(arguments: [
        (JSONValue.double(1e15), false), (.double(-0.5), false), (.string("253402300799"), true),
        (.string("253402300800"), false), (.int(253_402_300_799), true), (.string(""), false), (.null, false),
        (.double(.nan), false), (.string("２０２４"), false),
    ])
    func readsInstantsWithinBounds(_ value: JSONValue, _ isReadable: Bool) {
        #expect((Timestamp(claim: value) != nil) == isReadable)
    }
}
