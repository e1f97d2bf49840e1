// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A pattern as it was read.
indirect enum PatternNode: Sendable, Hashable {
    case empty
    case one(ScalarSet)
    case sequence([PatternNode])
    case either([PatternNode])
    /// `upTo` nil = without end.
    case repeated(PatternNode, atLeast: Int, upTo: Int?)
}

/// A set of characters, as sorted ranges of scalar values or what is outside of them.
struct ScalarSet: Sendable, Hashable {
    private(set) var ranges: [ClosedRange<UInt32>]
    private(set) var isInverted: Bool

    init(_ ranges: [ClosedRange<UInt32>], isInverted: Bool = false) {
        self.ranges = ranges
        self.isInverted = isInverted
    }

    init(_ scalar: Unicode.Scalar) { self.init([scalar.value...scalar.value]) }

    /// Every character.
    static let all = ScalarSet([0...0x10FFFF])
    static let digits = ScalarSet([0x30...0x39])
    static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = ScalarSet([0x09...0x0D, 0x20...0x20])

    var inverted: ScalarSet { ScalarSet(ranges, isInverted: !isInverted) }

    /// The ranges without inversion, so that sets can be joined.
    var plainRanges: [ClosedRange<UInt32>] {
        guard isInverted else { return ranges }
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }

    func contains(_ scalar: UInt32) -> Bool {
        ranges.contains { $0.contains(scalar) } != isInverted
    }
}
