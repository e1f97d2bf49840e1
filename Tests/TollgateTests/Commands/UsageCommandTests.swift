// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

@Suite struct UsageCommandTests {
    private static let usage = """
        {"tasks_used":7,"tasks_limit":5000,"workers_used":1,"workers_limit":5,"workspaces_used":2,\
        "workspaces_limit":-1,"agents_used":3,"agents_limit":5,"tokens_today":1200,"tokens_daily_limit":-1,\
        "premium_models_used":["a"],"premium_models_limit":3,"period_start":"2026-03-01T00:00:00Z",\
        "period_end":"2026-04-01T00:00:00Z","credits":{"granted_micro_credits":1000000000,\
        "used_micro_credits":1750000,"held_micro_credits":0,"remaining_micro_credits":998250000,\
        "debt_micro_credits":0}}
        """

    private static let series = """
        {"granularity":"day","from":"2026-03-01T00:00:00Z","to":"2026-03-03T00:00:00Z","buckets":[\
        {"start":"2026-03-01T00:00:00Z","window":"2026-03-01","model":"m1","requests":2,"tokens":{"total":1500},\
        "charge_micro_usd":17500,"charge_micro_credits":1750000},\
        {"start":"2026-03-02T00:00:00Z","window":"2026-03-02","model":"m2","requests":1,"tokens":{"total":10},\
        "charge_micro_usd":1,"charge_micro_credits":100},\
        {"start":"2026-03-02T00:00:00Z","window":"2026-03-02","model":"","requests":4,"tokens":{"total":0},\
        "charge_micro_usd":0,"charge_micro_credits":0}]}
        """

    @Test func showTellsUseBesideLimits() async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.usage) }) { server in
            let shown = await run(["usage", "--account", "acme", "--api-url", server.url, "--token", "t"])
            #expect(shown.status == 0)
            #expect(
                shown.output == """
                    WHAT            USED  LIMIT
                    tasks           7     5000
                    workers         1     5
                    workspaces      2     unlimited
                    agents          3     5
                    tokens today    1200  unlimited
                    premium models  1     3

                    CREDITS      GRANTED  USED  HELD  REMAINING  OWED
                    this period  1000     1.75  0     998.25     0

                    Period: 2026-03-01 00:00:00 UTC to 2026-04-01 00:00:00 UTC

                    """)
            let yaml = await run(["usage", "show", "-o", "yaml", "--api-url", server.url])
            #expect(yaml.output.hasPrefix("tasks_used: 7\n"))
            #expect(server.requests.map(\.target) == ["/v1/billing/usage?account=acme", "/v1/billing/usage"])
            #expect(server.requests.first?.header("authorization") == "Bearer t")
        }
    }

    @Test(arguments: [(true, "█"), (false, "#")])
    func seriesDrawsCharges(isTerminal: Bool, mark: String) async throws {
        try await LoopbackHTTPServer.with({ _ in .json(Self.series) }) { server in
            let shown = await run(
                [
                    "usage", "series", "--granularity", "day", "--group-by", "user", "--group-by", "model", "--from",
                    "2026-03-01T00:00:00Z", "--output", "table", "--api-url", server.url,
                ], terminal: isTerminal)
            let bar = String(repeating: mark, count: 24)
            #expect(
                shown.output == """
                    START       MODEL  USER  REQUESTS  TOKENS  CHARGE     CREDITS  CHART
                    2026-03-01  m1     -     2         1500    $0.0175    1.75     \(bar)
                    2026-03-02  m2     -     1         10      $0.000001  0.0001   \(mark)
                    2026-03-02  -      -     4         0       $0.00      0        -
                    total       -      -     7         1510    $0.017501  1.7501   -

                    """)
            #expect(
                server.requests.first?.target
                    == "/v1/billing/usage/series?from=2026-03-01T00%3A00%3A00Z&granularity=day&group_by=user%2Cmodel")
        }
    }

    @Test func historyIsAPageAndTellsWhereItGoesOn() async throws {
        let body = """
            {"records":[{"at":"2026-03-01T12:00:00.5Z","kind":"tokens","model":"new-1","user":"u","quarantined":true,\
            "tokens":{"total":12},"charge_micro_usd":150,"charge_micro_credits":15000}],"next_cursor":"c'1"}
            """
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let shown = await run([
                "usage", "history", "--model", "new-1", "--limit", "1", "--api-url", server.url,
            ])
            #expect(
                shown.output.split(separator: "\n").dropFirst().first
                    == "2026-03-01 12:00:00 UTC  tokens  new-1 (price unknown)  u     -        12      $0.00015  0.015")
            #expect(shown.output.hasSuffix("There are older ones: --cursor 'c'1'\n"))
            #expect(server.requests.first?.target == "/v1/billing/usage/history?model=new-1&limit=1")
            let json = await run(["usage", "history", "--api-url", server.url], terminal: false)
            let page = try JSONParser.parse(text: json.output)
            #expect(page["next_cursor"] == "c'1")
        }
        let wrong = await run(["usage", "history", "--limit", "1001"])
        #expect(wrong.status == 2 && wrong.errors.contains("--limit takes 1 to 1000"))
    }

    @Test(arguments: [("null", "not in this period"), (#""2026-03-20T06:00:00Z""#, "2026-03-20 06:00:00 UTC")])
    func forecastTellsWhenNothingIsLeft(exhausted: String, shown: String) async throws {
        let body = """
            {"method":"mean_daily","elapsed_days":10,"period_days":31,"used_micro_credits":500000000,\
            "projected_micro_credits":1550000000,"exhausted_at":\(exhausted),"trend":"rising","confidence":"medium"}
            """
        try await LoopbackHTTPServer.with({ _ in .json(body) }) { server in
            let table = await run(["usage", "forecast", "--account", "a/b", "--api-url", server.url])
            #expect(
                table.output == """
                    FORECAST                     VALUE
                    days                         10 of 31
                    credits used                 500
                    credits at the period's end  1550
                    nothing left at              \(shown)
                    trend                        rising
                    confidence                   medium

                    """)
            #expect(server.requests.first?.target == "/v1/billing/forecast?account=a%2Fb")
        }
    }

    @Test func whatTheServerRefusesIsTold() async throws {
        let refusal = #"{"code":"authz.denied","message":"No"}"#
        try await LoopbackHTTPServer.with({ _ in .json(refusal, status: 403) }) { server in
            let shown = await run(["usage", "forecast", "--api-url", server.url])
            #expect(shown.status == 4 && shown.errors.contains("authz.denied"))
        }
    }

    @Test(arguments: [
        (0, "$0.00", "0"), (1, "$0.000001", "0.000001"), (-1_500_000, "-$1.50", "-1.5"),
        (123_456_789, "$123.456789", "123.456789"), (Int64.min, "-$9223372036854.775808", "-9223372036854.775808"),
    ])
    func amountsAreExact(micro: Int64, dollars: String, credits: String) {
        #expect(MicroText.dollars(micro) == dollars)
        #expect(MicroText.credits(micro) == credits)
    }

    @Test func barsAreAsLongAsTheirValues() {
        let bar = TextBar([0, 1, 50, 100], isPlain: true)
        #expect([0, 1, 50, 100, -5].map { bar.text($0).count } == [0, 1, 12, 24, 0])
        #expect(TextBar([], isPlain: true).text(5) == "" && TextBar([Int64.max], isPlain: true).text(.max).count == 24)
    }
}
