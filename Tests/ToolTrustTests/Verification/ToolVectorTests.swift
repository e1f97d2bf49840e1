// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Essentials
internal import Foundation
internal import TestSupport
internal import Testing
internal import ToolTrust

@Suite struct ToolVectorTests {
    /// Verdicts that all of these tests share.
    private static let verdicts = SignatureVerdicts()

    @Test(arguments: ToolCases.list("manifests"))
    func isJudgedAsTheVectorSays(_ record: CaseRecord) throws {
        let json = record.json
        let bytes = Array(try ToolCases.text(json["manifest_json"]).utf8)
        let content = try ToolCases.bytes(try ToolCases.value("contents")[ToolCases.text(json["content"])])
        let highest = try json["highest"].map { value in
            HighestVersion(
                version: try #require(SemanticVersion(ToolCases.text(value["version"]))),
                canonicalSHA256: try ToolCases.text(value["canonical_sha256"]))
        }
        let verifier = ToolVerifier(keys: try ToolCases.trusted(), rules: try ToolCases.rules())
        let result = verifier.verify(
            bytes, executableSHA256: Hex.encode(SHA256.hash(data: content)), highest: highest,
            now: try ToolCases.now())
        // What is remembered is what would be found out again.
        let remembering = ToolVerifier(
            keys: try ToolCases.trusted(), rules: try ToolCases.rules(), verdicts: Self.verdicts)
        for _ in 0..<2 {
            let again = remembering.verify(
                bytes, executableSHA256: Hex.encode(SHA256.hash(data: content)), highest: highest,
                now: try ToolCases.now())
            #expect(again.refusal == result.refusal)
            #expect(again.keyID == result.keyID)
        }
        let expected = json["expect"]
        #expect((result.refusal == nil) == expected?["ok"]?.boolValue, "\(String(describing: result.refusal))")
        #expect(result.refusal?.code.rawValue == expected?["code"]?.stringValue)
        if let field = expected?["field"]?.stringValue {
            #expect(result.refusal?.details?["field"]?.stringValue == field)
        }
        #expect(result.checks.allSatisfy(\.isGood) == (result.refusal == nil))
        if let manifest = result.manifest {
            #expect(manifest.canonical == (try ToolCases.bytes(json["canonical_base64"])))
            if result.refusal == nil {
                let key = try ToolCases.privateKey(ToolCases.text(json["signed_with"]))
                #expect(try key.signature(of: manifest.canonical) == manifest.signature)
            }
        }
    }

    /// No change of a byte leaves a manifest good that says something else.
    @Test func noChangedManifestIsBelieved() throws {
        let random = SeededRandom(seed: 41)
        let original = try ToolCases.signed { $0["allowed_resources"] = ["/usr/share/fonts"] }
        let canonical = try ToolManifest.read(original).canonical
        for _ in 0..<FuzzCases.count(2000) {
            var bytes = original
            for _ in 0...random.below(3) {
                let index = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes[random.below(bytes.count)], at: index)
                }
            }
            let result = try ToolCases.verify(bytes)
            if result.refusal == nil { #expect(result.manifest?.canonical == canonical) }
        }
    }
}
