// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Testing

@testable internal import Persistence

/// What the server's states mean, and when a database is tried again.
@Suite struct PostgreSQLErrorTests {
    @Test(arguments: [
        ("23505", PostgreSQLError.Code.uniqueViolation, false), ("23503", .constraintViolation, false),
        ("42501", .insufficientPrivilege, false), ("40001", .serialization, false), ("40P01", .serialization, false),
        ("57014", .timeout, false), ("55P03", .timeout, false), ("25P03", .timeout, true),
        ("57P01", .unavailable, true),
        ("57P03", .unavailable, true), ("53300", .unavailable, true), ("08006", .unavailable, true),
        ("42P01", .statementFailed, false), ("26000", .statementFailed, true), ("0A000", .statementFailed, true),
    ])
    func namesTheReason(state: String, code: PostgreSQLError.Code, endsConnection: Bool) {
        #expect(PostgreSQLState.code(of: state) == code)
        #expect(PostgreSQLError(code, "", sqlState: state).endsConnection == endsConnection)
    }

    @Test func endsAConnectionThatFellSilent() {
        #expect(PostgreSQLError(.timeout, "").endsConnection)
        #expect(PostgreSQLError(.outcomeUnknown, "").endsConnection)
        #expect(!PostgreSQLError(.invalidValue, "").endsConnection)
    }

    @Test func isReadable() {
        let cause = PostgreSQLError(.statementFailed, "no such table", sqlState: "42P01")
        #expect(
            "\(PostgreSQLError(.migrationFailed, "Step 3 failed", cause: cause))"
                == "Step 3 failed: no such table (SQLSTATE 42P01)")
        #expect(PostgreSQLError.Code.outcomeUnknown.label == "outcome_unknown")
    }

    @Test func waitsLongerAfterEachFailure() {
        var backoff = PostgreSQLBackoff()
        var now = Duration.zero
        let error = PostgreSQLError(.unavailable, "away")
        #expect(backoff.refusal(at: now) == nil)
        var pauses: [Duration] = []
        for attempt in 0..<7 {
            let isFirst = backoff.failed(error, at: now, draw: 0.999_999_999)
            #expect(isFirst == (attempt == 0))
            #expect(backoff.refusal(at: now)?.message == "away")
            // Those that failed at the same time change nothing.
            let isFirstAgain = backoff.failed(error, at: now, draw: 0)
            #expect(!isFirstAgain)
            var pause = Duration.zero
            while backoff.refusal(at: now + pause) != nil { pause += .milliseconds(10) }
            pauses.append(pause)
            now += pause
        }
        #expect(Array(pauses.prefix(4)) == [100, 200, 400, 800].map { Duration.milliseconds($0) })
        #expect(pauses.dropFirst(4).allSatisfy { $0 <= .seconds(2) && $0 >= .milliseconds(1600) })
        let (first, second) = (backoff.succeeded(), backoff.succeeded())
        #expect(first && !second)
        #expect(backoff.refusal(at: now) == nil)
    }
}
