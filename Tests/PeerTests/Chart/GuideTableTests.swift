// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import TestSupport
internal import Testing

/// Guides that list what is in the code.
struct GuideTableTests {
    /// The reasons of conditions that the reconcilers can write: the second word in capitals of a call that sets one.
    private static func reasonsInCode() throws -> Set<String> {
        let folder = Repository.root.appending(path: "Sources/Reconcilers")
        let call = /set\(\s*"[A-Z][A-Za-z]+",\s*\.(?:true|false|unknown),\s*"([A-Z][A-Za-z]+)"/
        var found: Set<String> = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where path.hasSuffix(".swift") {
            let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
            found.formUnion(text.matches(of: call).map { String($0.1) })
        }
        return found
    }

    @Test func everyReasonHasItsLine() throws {
        let guide = try String(
            contentsOf: Repository.root.appending(path: "docs/guides/troubleshooting.md"), encoding: .utf8)
        // Nothing is wrong where these stand.
        let good: Set = [
            "Known", "Active", "Loaded", "Fetched", "Resolved", "Written", "Valid", "Matches", "Synced",
            "Trialing", "WithinLimits",
        ]
        let reasons = try Self.reasonsInCode()
        #expect(reasons.count > 15)
        let missing = reasons.subtracting(good).filter { !guide.contains("`\($0)`") }.sorted()
        #expect(missing == [], "docs/guides/troubleshooting.md does not say what to do")
    }
}
