// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Testing

@testable import ExtAuthzService

@Suite struct CheckVerdictTests {
    @Test(arguments: [
        (200, CheckVerdict.allowed), (400, .denied(statusCode: 3, httpStatus: 400)),
        (401, .denied(statusCode: 16, httpStatus: 401)), (402, .denied(statusCode: 8, httpStatus: 402)),
        (403, .denied(statusCode: 7, httpStatus: 403)), (404, .denied(statusCode: 5, httpStatus: 404)),
        (405, .denied(statusCode: 7, httpStatus: 405)), (413, .denied(statusCode: 3, httpStatus: 413)),
        (429, .denied(statusCode: 8, httpStatus: 429)), (431, .denied(statusCode: 3, httpStatus: 431)),
        (500, .unavailable), (503, .unavailable), (0, .unavailable), (204, .unavailable),
    ])
    func followsTheStatus(_ status: Int, _ verdict: CheckVerdict) {
        #expect(CheckVerdict(status: status) == verdict)
    }
}
