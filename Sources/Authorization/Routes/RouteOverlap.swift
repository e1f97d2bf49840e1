// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Two rules of one list that cover some of the same requests and ask different things, so that their order decides.
package struct RouteOverlap: Sendable, Hashable {
    /// Places in the list, from 0; `earlier` wins.
    package let earlier: Int
    package let later: Int
    /// Both rules named, as a condition or a warning says it.
    package let message: String
}

extension RouteTable {
    /// Rules that cross each other. A narrower rule before a wider one is how lists are meant to be written and is left out, and so is a rule
    /// that an earlier one covers wholly: that is unreachable. The time it takes grows with the square of the number of rules.
    package var overlaps: [RouteOverlap] {
        let bits = rules.map { methods.bits($0.methods) }
        var found: [RouteOverlap] = []
        for later in rules.indices {
            for earlier in 0..<later where bits[earlier] & bits[later] != 0 {
                let (first, second) = (patterns[earlier], patterns[later])
                guard first.meets(second), !rules[earlier].asksAs(rules[later]) else { continue }
                let isNarrower = second.covers(first) && (bits[earlier] & ~bits[later] == 0 || !first.covers(second))
                let isWhole = first.covers(second) && bits[later] & ~bits[earlier] == 0
                guard !isNarrower, !isWhole else { continue }
                let names = (rules[earlier].place, rules[later].place)
                found.append(
                    RouteOverlap(
                        earlier: earlier, later: later,
                        message: "\(names.0) and \(names.1) cover some of the same requests and ask different things: "
                            + "the first decides those"))
            }
        }
        return found
    }
}

extension RouteRule {
    /// `rule 3 (GET, POST /a/{x})`, counted from 1.
    var place: String { "rule \(index + 1) (\(methods.joined(separator: ", ")) \(path))" }

    /// Whether it asks the same of the caller.
    fileprivate func asksAs(_ other: RouteRule) -> Bool {
        access == other.access && platform == other.platform && ownershipRequired == other.ownershipRequired
    }
}

extension RoutePattern {
    /// Whether some path is of both patterns.
    func meets(_ other: RoutePattern) -> Bool {
        guard
            segments.count == other.segments.count
                || (segments.count < other.segments.count ? coversBelow : other.coversBelow)
        else { return false }
        return zip(segments, other.segments).allSatisfy { left, right in
            switch (left, right) {
            case (.literal(let left), .literal(let right)): left == right
            default: true
            }
        }
    }

    /// Whether every path of the other pattern is of this one.
    func covers(_ other: RoutePattern) -> Bool {
        guard
            coversBelow
                ? other.segments.count >= segments.count
                : other.segments.count == segments.count && !other.coversBelow
        else { return false }
        return zip(segments, other.segments).allSatisfy { own, others in
            switch own {
            case .capture: true
            case .literal: own == others
            }
        }
    }
}
