// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

@Suite struct PromQLNamesTests {
    typealias Selector = PromQLNames.Selector
    typealias Matcher = PromQLNames.Matcher

    @Test(
        arguments: [
            ("up", [Selector(metric: "up")], []),
            ("a:b_1 > bool 0", [Selector(metric: "a:b_1")], []),
            ("time() - max(beat_seconds)", [Selector(metric: "beat_seconds")], []),
            ("sum by (result) (rate(n_total[5m]))", [Selector(metric: "n_total")], ["result"]),
            ("sum(rate(n_total[5m])) without(a, b)", [Selector(metric: "n_total")], ["a", "b"]),
            (
                #"absent(up{job="x", code!~"5..",} == 1)"#,
                [
                    Selector(
                        metric: "up",
                        matchers: [
                            Matcher(label: "job", sign: "=", value: "x"),
                            Matcher(label: "code", sign: "!~", value: "5.."),
                        ])
                ], []
            ),
            (
                "a * on (x) group_left (y) b offset 5m unless c",
                [Selector(metric: "a"), Selector(metric: "b"), Selector(metric: "c")], ["x", "y"]
            ),
            ("max_over_time(a:b[1h:5m]) + 14.4 * 0x1f + Inf", [Selector(metric: "a:b")], []),
            (
                #"{__name__="a", x=~"y\"}"}"#,
                [Selector(metric: "a", matchers: [Matcher(label: "x", sign: "=~", value: "y\"}")])], []
            ),
            ("a # b\n+ `c{` == 'd\\'e'", [Selector(metric: "a")], []),
            ("sum + on_call", [Selector(metric: "sum"), Selector(metric: "on_call")], []),
            ("", [], []),
        ] as [(String, [Selector], Set<String>)])
    func findsNames(text: String, selectors: [Selector], groupings: Set<String>) throws {
        let names = try PromQLNames(text)
        #expect(names.selectors == selectors)
        #expect(names.groupings == groupings)
    }

    @Test(
        arguments: [
            ("a{b=\"c}", .unterminatedString), ("a{b=\"c\"", .unterminatedBraces), ("a{", .unterminatedBraces),
            ("{b=\"c\"}", .selectorWithoutName), ("{__name__=~\"c\"}", .selectorWithoutName),
            ("'\\", .unterminatedString),
        ] as [(String, PromQLNames.Failure)])
    func saysWhatIsUnfinished(text: String, failure: PromQLNames.Failure) {
        #expect(throws: failure) { try PromQLNames(text) }
    }

    /// Selectors put together at random are found again, whatever is around them; cut anywhere, the text is read or refused.
    @Test func findsWhatWasPutIn() throws {
        let random = SeededRandom(seed: 0x5052_4f4d)
        let frames = ["sum(%)", "% > 0", "rate(%[5m])", "max by (l0) (%)", "(%) / 2.5", "% offset 1h", "-%"]
        for _ in 0..<FuzzCases.count(2_000) {
            var wanted: [Selector] = []
            var parts: [String] = []
            for _ in 0...random.below(4) {
                var selector = Selector(metric: "m\(random.below(9)):x")
                for label in 0..<random.below(3) {
                    let value = ["a", "}", "\"", "\\", "{[(", "é\n"][random.below(6)]
                    selector.matchers.append(
                        Matcher(label: "l\(label)", sign: ["=", "!=", "=~", "!~"][random.below(4)], value: value))
                }
                wanted.append(selector)
                let matchers = selector.matchers.map { matcher in
                    let value = matcher.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                        .replacing("\n", with: "\\n")
                    return "\(matcher.label) \(matcher.sign)\"\(value)\""
                }
                let text = selector.metric + (matchers.isEmpty ? "" : "{\(matchers.joined(separator: " , "))}")
                parts.append(frames[random.below(frames.count)].replacing("%", with: text))
            }
            let text = parts.joined(separator: [" + ", " and ", "/", " unless\n"][random.below(4)])
            #expect(try PromQLNames(text).selectors == wanted, "\(text)")
            // That it ends is what is tested; either answer will do.
            _ = try? PromQLNames(String(text.prefix(random.below(text.count))))
        }
    }
}
