// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@testable internal import Authorization

@Suite struct LinearPatternTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("a", "a", true), ("a", "ab", false), ("a", "ba", false), ("a*", "", true),
        ("a*", "aaa", true), ("a+", "", false), ("a?b", "b", true), ("a?b", "aab", false), ("a|bc", "bc", true),
        ("a|bc", "ac", false), ("(a|b)c", "bc", true), ("(?:ab)+", "abab", true), ("(?:ab)+", "aba", false),
        ("a{2}", "aa", true), ("a{2}", "aaa", false), ("a{2,}", "aaaa", true), ("a{2,3}", "aaaa", false),
        ("a{0}b", "b", true), ("[a-c]+", "abc", true), ("[a-c]+", "abd", false), ("[^a-c]", "d", true),
        ("[^a-c]", "a", false), ("[]a]", "]", true), ("[a-]", "-", true), ("[\\d_]+", "1_2", true),
        ("\\d\\D", "1x", true), ("\\w+", "a_9", true), ("\\W", "é", true), ("\\s\\S", "\tx", true), (".", "\n", true),
        (".", "é", true), (".", "", false), ("\\.", ".", true), ("\\.", "x", false), ("^ab$", "ab", true),
        ("^a|b$", "b", true), ("(a*)*b", "aaab", true), ("(a*)*", "", true), ("(|a)+", "aa", true),
        ("a.*z", "a\nz", true),
        ("a+?", "aa", true), ("/v1/[a-z]+/\\d{1,4}", "/v1/tasks/1234", true), ("caf\u{e9}", "cafe\u{301}", false),
        ("\u{1F600}+", "\u{1F600}\u{1F600}", true), ("[\\W]", "a", false), ("[^\\W]", "a", true),
    ])
    func matchesWholeTexts(_ pattern: String, _ text: String, _ expected: Bool) throws {
        #expect(try LinearPattern(pattern).matches(text) == expected)
    }

    @Test(arguments: [
        ("(a)\\1", PatternError.Code.notSupported), ("(?=a)", .notSupported), ("(?!a)", .notSupported),
        ("(?<n>a)", .notSupported), ("(?i)a", .notSupported), ("a^b", .notSupported), ("a$b", .notSupported),
        ("\\bword\\b", .notSupported), ("\\p{L}", .notSupported), ("[[:alpha:]]", .notSupported), ("(a", .malformed),
        ("a)", .malformed), ("[a", .malformed), ("*a", .malformed), ("a**", .malformed), ("a{", .malformed),
        ("a{,3}", .malformed), ("a{3,1}", .malformed), ("[z-a]", .malformed), ("[\\d-z]", .malformed),
        ("a\\", .malformed), ("a{1001}", .tooLarge), ("((a{100}){100}){100}", .tooLarge),
        (String(repeating: "a", count: 257), .tooLarge), (String(repeating: "(", count: 40), .tooLarge),
    ])
    func refusesInWords(_ pattern: String, _ code: PatternError.Code) {
        let error = #expect(throws: PatternError.self) { try LinearPattern(pattern) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.isEmpty == false)
    }

    /// Patterns that take a backtracking engine longer than the universe stands.
    @Test(arguments: ["(a*)*b", "(a|a)*b", "(a+)+b", "(.*)(.*)(.*)(.*)b", "a{0,400}b", "(a|aa)+b"])
    func takesTimeThatGrowsWithTheText(_ pattern: String) throws {
        let compiled = try LinearPattern(pattern)
        let text = String(repeating: "a", count: LinearPattern.maximumTextBytes)
        let took = ContinuousClock().measure { #expect(!compiled.matches(text)) }
        #expect(took < .seconds(20), "\(took)")
        #expect(compiled.size <= 1000)
    }

    /// Random patterns give what trying every way gives.
    @Test func agreesWithTryingEveryWay() throws {
        let random = SeededRandom(seed: 77)
        var matched = 0
        var compared = 0
        for _ in 0..<FuzzCases.count(1500) {
            let sample = PatternSample.random(random, depth: 3)
            guard let compiled = try? LinearPattern(sample.text) else { continue }  // Over a bound.
            for _ in 0..<12 {
                let text = (0..<random.below(7)).map { _ in ["a", "b", "c", "é"][random.below(4)] }
                let scalars = Array(text.joined().unicodeScalars)
                let expected = sample.ends(scalars, from: 0).contains(scalars.count)
                #expect(compiled.matches(text.joined()) == expected, "\(sample.text) on \(text.joined())")
                compared += 1
                matched += expected ? 1 : 0
            }
        }
        #expect(compared > 5000 || FuzzCases.count(1500) < 1500)
        #expect(matched > 200, "\(matched) of \(compared)")
    }

    /// Any text is read or refused; what is read can be run.
    @Test func readsAnyText() {
        let random = SeededRandom(seed: 78)
        let letters = Array("ab()[]{}|*+?.^$\\-,:0129dwsn é")
        var read = 0
        for _ in 0..<FuzzCases.count(4000) {
            let text = String((0..<random.below(24)).map { _ in letters[random.below(letters.count)] })
            guard let pattern = try? LinearPattern(text) else { continue }  // Refused.
            _ = pattern.matches("aab01")
            read += 1
        }
        #expect(read > 100)
    }
}

/// A pattern as a tree of the test's own, with its text and a naive way to run it.
private indirect enum PatternSample {
    case letter(Character)
    case any
    case oneOf([Character], isInverted: Bool)
    case sequence([PatternSample])
    case either([PatternSample])
    case repeated(PatternSample, least: Int, most: Int?)

    static func random(_ random: SeededRandom, depth: Int) -> PatternSample {
        let letters: [Character] = ["a", "b", "c", "é"]
        switch random.below(depth > 0 ? 8 : 3) {
        case 0: return .letter(letters[random.below(4)])
        case 1: return random.below(3) == 0 ? .any : .letter(letters[random.below(4)])
        case 2:
            return .oneOf(
                Array(Set((0...random.below(2)).map { _ in letters[random.below(4)] })),
                isInverted: random.below(3) == 0)
        case 3, 4: return .sequence((0..<random.below(4)).map { _ in Self.random(random, depth: depth - 1) })
        case 5: return .either((0...random.below(3)).map { _ in Self.random(random, depth: depth - 1) })
        default:
            let least = random.below(3)
            return .repeated(
                Self.random(random, depth: depth - 1), least: least,
                most: random.below(2) == 0 ? nil : least + random.below(3))
        }
    }

    var text: String {
        switch self {
        case .letter(let letter): String(letter)
        case .any: "."
        case .oneOf(let letters, let isInverted): "[\(isInverted ? "^" : "")\(String(letters))]"
        case .sequence(let parts): "(?:" + parts.map(\.text).joined() + ")"
        case .either(let parts): "(" + parts.map(\.text).joined(separator: "|") + ")"
        case .repeated(let part, 0, nil): "(\(part.text))*"
        case .repeated(let part, 1, nil): "(\(part.text))+"
        case .repeated(let part, 0, 1): "(\(part.text))?"
        case .repeated(let part, let least, nil): "(\(part.text)){\(least),}"
        case .repeated(let part, let least, let most?): "(\(part.text)){\(least),\(most)}"
        }
    }

    /// Every place where a match from `start` can end.
    func ends(_ text: [Unicode.Scalar], from start: Int) -> Set<Int> {
        func one(_ holds: (Character) -> Bool) -> Set<Int> {
            start < text.count && holds(Character(text[start])) ? [start + 1] : []
        }
        switch self {
        case .letter(let letter): return one { $0 == letter }
        case .any: return one { _ in true }
        case .oneOf(let letters, let isInverted): return one { letters.contains($0) != isInverted }
        case .sequence(let parts):
            return parts.reduce([start]) { places, part in Set(places.flatMap { part.ends(text, from: $0) }) }
        case .either(let parts): return Set(parts.flatMap { $0.ends(text, from: start) })
        case .repeated(let part, let least, let most):
            var places: Set<Int> = [start]
            for _ in 0..<least { places = Set(places.flatMap { part.ends(text, from: $0) }) }
            var all = places
            for _ in 0..<(most.map { $0 - least } ?? text.count + 1) {
                places = Set(places.flatMap { part.ends(text, from: $0) })
                all.formUnion(places)
            }
            return all
        }
    }
}
