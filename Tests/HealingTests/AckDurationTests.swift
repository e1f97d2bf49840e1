// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Healing
internal import TestSupport
internal import Testing

@Suite struct AckDurationTests {
    @Test(arguments: [
        ("1s", 1), ("9999999s", 9_999_999), ("30m", 1800), ("24h", 86_400), ("7d", 604_800),
    ])
    func reads(_ text: String, _ seconds: Int64) {
        #expect(AckDuration.parse(text) == seconds)
    }

    @Test(arguments: [
        "", "s", "0s", "01m", "-5m", "+5m", "5", "5M", "5 m", " 5m", "5m ", "1h30m", "1w", "12345678s", "５m", "1.5h",
        "5m\n", "0x5m",
    ])
    func refuses(_ text: String) {
        #expect(AckDuration.parse(text) == nil)
        #expect {
            try AckDuration.seconds(text, atMost: 60)
        } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            return refusal.code == .healingBadDuration && refusal.status == 400
                && refusal.message == "duration: expected a whole number and one of s, m, h, d, such as 30m, 2h or 1d"
        }
    }

    @Test func knowsItsMaximum() throws {
        #expect(try AckDuration.seconds("7d", atMost: 604_800) == 604_800)
        #expect {
            try AckDuration.seconds("8d", atMost: 604_800)
        } throws: { error in
            guard let refusal = error as? Refusal else { return false }
            return refusal.code == .healingDurationTooLong
                && refusal.message == "duration: 8d is longer than 604800 s, the longest there is"
        }
    }

    /// What is accepted fits the grammar, whatever comes.
    @Test func acceptsOnlyTheGrammar() {
        let random = SeededRandom(seed: 61)
        let alphabet = Array("0123456789smhdw -+.".unicodeScalars)
        for _ in 0..<FuzzCases.count(5000) {
            let text = String(
                String.UnicodeScalarView((0..<random.below(10)).map { _ in alphabet[random.below(alphabet.count)] }))
            let isPlain = text.wholeMatch(of: /[1-9][0-9]{0,6}[smhd]/) != nil
            #expect((AckDuration.parse(text) != nil) == isPlain, "\(text)")
        }
    }
}
