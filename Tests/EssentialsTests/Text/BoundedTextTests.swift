// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Testing

@Suite struct BoundedTextTests {
    @Test(arguments: ["", "a", "é", "👩‍👩‍👧", "aé👍"], [4, 5, 16, 100])
    func neverLongerAndNeverBroken(_ part: String, _ bytes: Int) {
        let text = String(repeating: part, count: 40)
        let cut = BoundedText.cut(text, bytes: bytes)
        #expect(cut.utf8.count <= bytes)
        #expect(cut == text || cut.hasSuffix("…") && text.hasPrefix(cut.dropLast()))
    }
}
