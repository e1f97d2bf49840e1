// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Testing
internal import ToolTrust

@Suite struct SemanticVersionTests {
    /// SemVer 2.0.0 section 11, and numbers beyond any integer type.
    static let ascending = [
        "0.0.1", "0.1.0", "1.0.0-0", "1.0.0-9", "1.0.0-10", "1.0.0-99999999999999999999999", "1.0.0--", "1.0.0-alpha",
        "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
        "1.2.0", "1.10.0", "2.0.0", "99999999999999999999999.0.0",
    ]

    @Test func ordersByPrecedence() throws {
        let versions = try Self.ascending.map { try #require(SemanticVersion($0), "\($0)") }
        for (left, one) in versions.enumerated() {
            for (right, other) in versions.enumerated() {
                #expect(one.precedes(other) == (left < right), "\(one) \(other)")
                #expect(one.hasSamePrecedence(as: other) == (left == right), "\(one) \(other)")
            }
        }
    }

    @Test func buildDoesNotCount() throws {
        let one = try #require(SemanticVersion("1.0.0+a"))
        let other = try #require(SemanticVersion("1.0.0+b.01"))
        #expect(one.hasSamePrecedence(as: other))
        #expect(one != other)
    }

    @Test(arguments: [
        "", "1", "1.0", "1.0.0.0", "01.0.0", "1.00.0", "v1.0.0", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0-01",
        "1.0.0-a_b", "1.0.0+a+b", "1.0.0 ", "-1.0.0", "1.0.0-ä",
        "1.0.0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ])
    func refuses(_ text: String) { #expect(SemanticVersion(text) == nil) }
}
