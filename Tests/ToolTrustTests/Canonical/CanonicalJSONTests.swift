// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing
internal import ToolTrust

@Suite struct CanonicalJSONTests {
    @Test(arguments: ToolCases.list("canonical"))
    func hasTheFormOfTheVector(_ record: CaseRecord) throws {
        let input = Array(try ToolCases.text(record.json["input"]).utf8)
        if record.json["error"]?.boolValue == true {
            #expect(throws: JSONParser.Failure.self) { try CanonicalJSON.parse(input) }
            return
        }
        let bytes = try #require(CanonicalJSON.encode(try CanonicalJSON.parse(input)))
        #expect(String(decoding: bytes, as: UTF8.self) == record.json["canonical"]?.stringValue)
        #expect(bytes == (try ToolCases.bytes(record.json["canonical_base64"])))
    }

    @Test(arguments: ["1.0", "1e2", "9007199254740992", "-9007199254740992", "{\"a\":[0.5]}"])
    func hasNoFormForOtherNumbers(_ text: String) throws {
        #expect(CanonicalJSON.encode(try CanonicalJSON.parse(Array(text.utf8))) == nil)
    }

    @Test(arguments: [[0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0x22, 0xFF, 0x22], [0x7B, 0x7D, 0x30]] as [[UInt8]])
    func refusesWhatIsNoDocument(_ bytes: [UInt8]) {
        #expect(throws: JSONParser.Failure.self) { try CanonicalJSON.parse(bytes) }
    }
}
