// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct OutputTests {
    @Test func yamlReadsBackAsTheSameBody() {
        let body: JSONValue = [
            "a": "x", "b": [1, "y: z", ["k": "v", "l": []]], "c": ["d": ["e": nil]], "f": "true", "g": "", "h": [:],
            "i": [[1, 2]],
        ]
        #expect(
            YAMLText.text(of: body) == """
                a: x
                b:
                - 1
                - "y: z"
                - k: v
                  l: []
                c:
                  d:
                    e: null
                f: "true"
                g: ""
                h: {}
                i:
                -
                  - 1
                  - 2
                """)
    }

    @Test func aCellCannotDrawARow() {
        var table = TextTable(["A", "B"])
        table.add(["x\ny\u{1b}[31m", ""])
        #expect(table.text == "A         B\nx y [31m  -")
    }
}
