// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import SelfManagement
internal import Testing

@Suite struct RestartMarkTests {
    @Test func standsOnTheTemplate() {
        #expect(
            RestartMark.template(at: Timestamp(seconds: 0))
                == ["metadata": ["annotations": ["tollgate.dev/restartedAt": "1970-01-01T00:00:00Z"]]])
    }
}
