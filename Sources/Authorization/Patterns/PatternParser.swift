// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Reads the text of a pattern: literals, `.`, classes, groups, `|`, and the repetitions `*`, `+`, `?`, `{m,n}`. A `^` at its begin and a `$`
/// at its end are taken and say nothing, since the whole text must match anyway.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var depth = 0

    static let maximumCharacters = 256
    private static let maximumDepth = 32
    private static let maximumRepetition = 1000

    init(_ text: String) throws(PatternError) {
        scalars = Array(text.unicodeScalars)
        guard scalars.count <= Self.maximumCharacters else {
            throw PatternError(.tooLarge, "it has \(scalars.count) characters; at most 256 are allowed")
        }
    }

    mutating func parse() throws(PatternError) -> PatternNode {
        if peek() == "^" { place += 1 }
        let node = try alternatives()
        guard place == scalars.count else { throw malformed("a ) closes nothing") }
        return node
    }

    private mutating func alternatives() throws(PatternError) -> PatternNode {
        var branches = [try sequence()]
        while peek() == "|" {
            place += 1
            branches.append(try sequence())
        }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        while let next = peek(), next != "|", next != ")" {
            if next == "$", place == scalars.count - 1 {
                place += 1
                break
            }
            parts.append(try repetitions(of: try atom()))
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repetitions(of node: PatternNode) throws(PatternError) -> PatternNode {
        guard let (least, most) = try repetition() else { return node }
        // A lazy repetition matches the same whole texts as a greedy one.
        if peek() == "?" { place += 1 }
        if let next = peek(), next == "*" || next == "+" || next == "?" {
            throw malformed("a repetition stands behind a repetition; put a group around the first")
        }
        return .repeated(node, atLeast: least, upTo: most)
    }

    private mutating func repetition() throws(PatternError) -> (Int, Int?)? {
        switch peek() {
        case "*":
            place += 1
            return (0, nil)
        case "+":
            place += 1
            return (1, nil)
        case "?":
            place += 1
            return (0, 1)
        case "{": return try counted()
        default: return nil
        }
    }

    private mutating func counted() throws(PatternError) -> (Int, Int?) {
        place += 1
        let least = number()
        var most = least
        if peek() == "," {
            place += 1
            most = number()
        }
        guard peek() == "}", let least else {
            throw malformed("a { is no {m}, {m,} or {m,n}; write \\{ for the character")
        }
        place += 1
        if let most, most < least { throw malformed("a repetition ends below its begin") }
        guard max(least, most ?? 0) <= Self.maximumRepetition else {
            throw PatternError(.tooLarge, "a repetition of more than 1000 times")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = peek(), ("0"..."9").contains(scalar), (value ?? 0) <= Self.maximumRepetition {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            place += 1
        }
        return value
    }

    private mutating func atom() throws(PatternError) -> PatternNode {
        guard let scalar = peek() else { throw malformed("it ends too early") }
        place += 1
        switch scalar {
        case ".": return .one(.all)
        case "[": return .one(try characterClass())
        case "(": return try group()
        case "\\": return .one(try escape(inClass: false))
        case "*", "+", "?", "{": throw malformed("a repetition has nothing before it")
        case "^", "$": throw unsupported("an anchor inside; the whole text has to match anyway")
        default: return .one(ScalarSet(scalar))
        }
    }

    private mutating func group() throws(PatternError) -> PatternNode {
        if peek() == "?" {
            place += 1
            guard peek() == ":" else { throw unsupported("a group (?…) other than (?:…)") }
            place += 1
        }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw PatternError(.tooLarge, "groups are nested more than 32 deep") }
        let node = try alternatives()
        guard peek() == ")" else { throw malformed("a ( is not closed") }
        place += 1
        return node
    }

    private mutating func characterClass() throws(PatternError) -> ScalarSet {
        var isInverted = false
        if peek() == "^" {
            isInverted = true
            place += 1
        }
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while let next = peek(), next != "]" || isFirst {
            isFirst = false
            let low = try classMember()
            guard peek() == "-", let behind = peek(1), behind != "]" else {
                ranges += low.plainRanges
                continue
            }
            place += 1
            let high = try classMember()
            guard let from = Self.single(low), let to = Self.single(high), from <= to else {
                throw malformed("a range in a class runs backwards or has no single characters at its ends")
            }
            ranges.append(from...to)
        }
        guard peek() == "]" else { throw malformed("a [ is not closed") }
        place += 1
        return ScalarSet(ranges, isInverted: isInverted)
    }

    private mutating func classMember() throws(PatternError) -> ScalarSet {
        guard let scalar = peek() else { throw malformed("a [ is not closed") }
        place += 1
        if scalar == "\\" { return try escape(inClass: true) }
        if scalar == "[", peek() == ":" { throw unsupported("a named class [:…:]") }
        return ScalarSet(scalar)
    }

    private static func single(_ set: ScalarSet) -> UInt32? {
        guard !set.isInverted, set.ranges.count == 1, set.ranges[0].count == 1 else { return nil }
        return set.ranges[0].lowerBound
    }

    private mutating func escape(inClass: Bool) throws(PatternError) -> ScalarSet {
        guard let scalar = peek() else { throw malformed("a \\ stands at the end") }
        place += 1
        switch scalar {
        case "d": return .digits
        case "D": return .digits.inverted
        case "w": return .word
        case "W": return .word.inverted
        case "s": return .space
        case "S": return .space.inverted
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "0"..."9": throw unsupported("a reference back, \\\(scalar)")
        case "a"..."z", "A"..."Z": throw unsupported("the escape \\\(scalar)")
        default: return ScalarSet(scalar)
        }
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        place + ahead < scalars.count ? scalars[place + ahead] : nil
    }

    private func malformed(_ message: String) -> PatternError {
        PatternError(.malformed, "\(message) (at character \(min(place, scalars.count - 1) + 1))")
    }

    private func unsupported(_ message: String) -> PatternError {
        PatternError(.notSupported, "\(message) is not supported (at character \(place))")
    }
}
