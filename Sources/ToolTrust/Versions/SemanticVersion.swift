// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A version by SemVer 2.0.0. Order is precedence: build metadata does not count, so different texts may be of one precedence.
package struct SemanticVersion: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    package let description: String
    private let core: [String]
    private let preRelease: [String]

    /// Reads a version of at most 64 bytes; nil for anything that SemVer 2.0.0 does not allow.
    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count) else { return nil }
        let withBuild = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 1, omittingEmptySubsequences: false)
        if withBuild.count == 2 {
            guard let build = Self.identifiers(withBuild[1]), build.allSatisfy(Self.isIdentifier) else { return nil }
        }
        let parts = withBuild[0].split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let core = Self.identifiers(parts[0]), core.count == 3, core.allSatisfy(Self.isPlainNumber) else {
            return nil
        }
        var preRelease: [String] = []
        if parts.count == 2 {
            guard let identifiers = Self.identifiers(parts[1]),
                identifiers.allSatisfy({ Self.isPlainNumber($0) || (Self.isIdentifier($0) && !Self.isNumeric($0)) })
            else { return nil }
            preRelease = identifiers
        }
        description = text
        self.core = core
        self.preRelease = preRelease
    }

    /// Whether neither goes before the other.
    package func hasSamePrecedence(as other: SemanticVersion) -> Bool { Self.compare(self, other) == 0 }

    /// Whether this one goes before the other.
    package func precedes(_ other: SemanticVersion) -> Bool { Self.compare(self, other) < 0 }

    private static func identifiers(_ text: Substring.UTF8View) -> [String]? {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }

    private static func isIdentifier(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }

    private static func isNumeric(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Digits without a leading zero.
    private static func isPlainNumber(_ text: String) -> Bool {
        isNumeric(text) && (text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0"))
    }

    private static func compare(_ left: SemanticVersion, _ right: SemanticVersion) -> Int {
        for (left, right) in zip(left.core, right.core) {
            let order = compareNumbers(left, right)
            if order != 0 { return order }
        }
        // A version without pre-release goes after all of its pre-releases.
        if left.preRelease.isEmpty || right.preRelease.isEmpty {
            return (left.preRelease.isEmpty ? 1 : 0) - (right.preRelease.isEmpty ? 1 : 0)
        }
        for (left, right) in zip(left.preRelease, right.preRelease) {
            let order = compareIdentifiers(left, right)
            if order != 0 { return order }
        }
        return (left.preRelease.count - right.preRelease.count).signum()
    }

    private static func compareIdentifiers(_ left: String, _ right: String) -> Int {
        switch (isNumeric(left), isNumeric(right)) {
        case (true, true): compareNumbers(left, right)
        case (true, false): -1
        case (false, true): 1
        case (false, false): compareBytes(left, right)
        }
    }

    /// Of any size: without leading zeros the longer number is the larger one.
    private static func compareNumbers(_ left: String, _ right: String) -> Int {
        let order = (left.utf8.count - right.utf8.count).signum()
        return order == 0 ? compareBytes(left, right) : order
    }

    private static func compareBytes(_ left: String, _ right: String) -> Int {
        if left == right { return 0 }
        return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }
}
