// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Grows the tree of patterns rule by rule, and tells of a new rule whether the ones before it leave it anything.
struct RouteTrieBuilder {
    struct Candidate: Sendable {
        var rule: Int32
        var methods: MethodTable.Bits
    }

    struct Node {
        var literals: [[UInt8]: Int] = [:]
        var capture: Int?
        /// Rules that end here.
        var exact: [Candidate] = []
        /// Rules that cover this node and everything below.
        var tail: [Candidate] = []
        /// Least rule of this node and of all below.
        var lowest = Int32.max
    }

    private(set) var nodes = [Node()]

    /// Adds a rule; rules come in their order.
    mutating func insert(_ pattern: RoutePattern, rule: Int, methods: MethodTable.Bits) {
        let candidate = Candidate(rule: Int32(rule), methods: methods)
        var node = 0
        for segment in pattern.segments {
            nodes[node].lowest = min(nodes[node].lowest, candidate.rule)
            node = child(of: node, segment)
        }
        nodes[node].lowest = min(nodes[node].lowest, candidate.rule)
        if pattern.coversBelow { nodes[node].tail.append(candidate) } else { nodes[node].exact.append(candidate) }
    }

    private mutating func child(of node: Int, _ segment: RoutePattern.Segment) -> Int {
        switch segment {
        case .literal(let bytes):
            if let child = nodes[node].literals[bytes] { return child }
            nodes[node].literals[bytes] = nodes.count
        case .capture:
            if let child = nodes[node].capture { return child }
            nodes[node].capture = nodes.count
        }
        nodes.append(Node())
        return nodes.count - 1
    }

    /// The earlier rule that leaves a pattern nothing; nil when something is left.
    func rule(covering pattern: RoutePattern, methods: MethodTable.Bits) -> Int? {
        var seen: [Candidate] = []
        let covered = coverage([0], pattern.segments[...], below: pattern.coversBelow, seen: &seen)
        guard methods & ~covered == 0 else { return nil }
        let useful = seen.filter { $0.methods & methods != 0 }
        let whole = useful.filter { methods & ~$0.methods == 0 }
        return (whole.isEmpty ? useful : whole).map { Int($0.rule) }.min()
    }

    /// The methods for which every path of the pattern is covered.
    private func coverage(
        _ set: [Int], _ rest: ArraySlice<RoutePattern.Segment>, below: Bool, seen: inout [Candidate]
    ) -> MethodTable.Bits {
        var covered: MethodTable.Bits = 0
        for node in set {
            for candidate in nodes[node].tail {
                covered |= candidate.methods
                seen.append(candidate)
            }
        }
        let captures = set.compactMap { nodes[$0].capture }
        guard let segment = rest.first else {
            let ends = set.flatMap { nodes[$0].exact }
            let ending = ends.reduce(0) { $0 | $1.methods }
            if !below {
                seen += ends
                return covered | ending
            }
            guard !captures.isEmpty, ending != 0 else { return covered }
            var deeper: [Candidate] = []
            let under = coverage(captures, rest, below: true, seen: &deeper)
            // The path itself and everything below, taken together, may be the work of several rules.
            if ending & under != 0, seen.isEmpty { seen += ends }
            return covered | ending & under
        }
        var next = captures
        if case .literal(let bytes) = segment { next += set.compactMap { nodes[$0].literals[bytes] } }
        guard !next.isEmpty else { return covered }
        return covered | coverage(next, rest.dropFirst(), below: below, seen: &seen)
    }
}
