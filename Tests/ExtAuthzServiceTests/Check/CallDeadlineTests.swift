// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Testing

@testable import ExtAuthzService

@Suite struct CallDeadlineTests {
    @Test(arguments: [
        ("150m", Duration.milliseconds(150)), ("2S", .seconds(2)), ("1M", .seconds(60)), ("1H", .seconds(3600)),
        ("250000u", .milliseconds(250)), ("99999999n", .nanoseconds(99_999_999)), ("0m", .zero),
    ])
    func readsTheHeader(_ text: String, _ duration: Duration) {
        #expect(CallDeadline.parse(text) == duration)
    }

    @Test(arguments: ["", "m", "150", "150ms", "-1m", "+1m", "123456789m", "1 m", "1x", "٣m"])
    func takesNothingElse(_ text: String) {
        #expect(CallDeadline.parse(text) == nil)
    }
}
