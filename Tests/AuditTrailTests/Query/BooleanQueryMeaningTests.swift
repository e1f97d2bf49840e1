// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

/// What comparisons mean, member by member.
@Suite struct BooleanQueryMeaningTests {
    private static let event = """
        {"text":"Value","empty":"","n":10,"neg":-1,"half":9.5,"tiny":0.000001,"huge":1e21,"big":9007199254740993,
        "min":-9223372036854775808,"yes":true,"no":false,"nil":null,"obj":{"a":"b","n":[]},"list":["x",7,null,[true]],
        "none":[],"deepNone":[[],[]],"objects":[{"k":"a"},{"k":["b","c"]},{}],"at":"2026-02-10T08:00:00.5Z",
        "nulltext":"null","accent":"cafe\u{301}","street":"STRASSE İ","kelvin":{"\u{212A}":"1"},"n10":"10",
        "metadata":{"text":"inner","only":"here","status":403,"nested":{"x":"y"},"list":["m"],"none":["filled"]}}
        """

    private static let holding = [
        "text=Value", "text!=value", "text~VAL", "text~\"\"", "empty=\"\"", "empty~\"\"", "empty<=\"\"", "text>=V",
        "text<=Valuf", "only=here", "status=403", "status>=400", "nested.x=y", "metadata.nested.x=y",
        "metadata.text=inner", "none=filled",
        // Numbers.
        "n=10", "n=10.0", "n=+10", "n=1e1", "n=\"10\"", "n=0010.000", "n>=9.99999", "n<=10", "n~0", "n~\"10\"",
        "neg=-1", "neg<=0", "neg>=-1.0000001", "half=9.5", "half=9.50", "half=95e-1", "half~.5", "half>=9.4999",
        "half<=9.5", "tiny=0.000001", "tiny~0.000001", "tiny=1e-6", "tiny>=0", "huge=1000000000000000000000",
        "huge~1000000000000000000000", "huge>=999999999999999999999", "huge<=1e99999999999999999999",
        "big=9007199254740993", "big>=9007199254740992.5", "big<=9007199254740993.000000000000000000000001",
        "min=-9223372036854775808", "min<=-9223372036854775807.5", "min>=-1e30", "neg>=-1e1", "tiny<=1e-5",
        "n10=10", "n10>=1", "n10<=9",
        // Booleans, null, objects, arrays.
        "yes=true", "no=false", "yes~RU", "yes!=false", "nil=null", "missing=null", "nil!=\"null\"",
        "nulltext=\"null\"",
        "nulltext!=null", "missing!=a", "missing.deep!=a", "text.deep!=a", "obj.a=b", "obj.n=null", "obj!=null",
        "list=x", "list=7", "list>=6", "list=null", "list=true", "list~X", "deepNone=null", "objects.k=a",
        "objects.k=c", "NOT objects.k=null", "NOT list=m",
        // Instants.
        "at>=2026-02-10T09:00:00.5+01:00", "at<=2026-02-10T08:00:00.5000000001Z",
        "at>=\"2026-02-10 08:00:00.499999999Z\"",
        "at=2026-02-10T08:00:00.5Z", "at!=2026-02-10T09:00:00.5+01:00", "at>=2026-02-10", "at<=2027", "at~t08:00",
        // Bytes, not letters.
        "accent!=caf\u{E9}", "accent=cafe\u{301}", "street~\"strasse i\u{307}\"", "kelvin.K=null",
    ]

    @Test(arguments: holding)
    func holds(text: String) throws {
        let event = try #require(JSONParser.parse(text: Self.event).objectValue)
        #expect(try BooleanQuery(parsing: text).matches(event))
        #expect(try !BooleanQuery(parsing: "NOT (\(text))").matches(event))
    }

    private static let failing = [
        "text=value", "Text=Value", "text~valuex", "text=inner", "text<=V", "n=10.1", "n=ten", "n>=ten", "n=\"\"",
        "n=1_0",
        "n=0x0a", "n=inf", "n=.", "n=1e", "n>=11", "big=9007199254740992", "big<=9007199254740992", "yes=1", "yes>=a",
        "yes=TRUE", "no~x", "nil=\"null\"", "missing=\"null\"", "nulltext=null", "nil~null", "nil>=a", "nil<=zzz",
        "missing=\"\"", "missing~\"\"", "missing>=0", "missing<=z", "obj=null", "obj~a", "obj>=a", "list=8",
        "none=null", "at>=2026-02-10T08:00:00.5000000001Z", "n10>=9.5", "text.deep=Value", "objects.k=d",
        "metadata.only=nowhere", "half>=2026-02-10T08:00:00Z", "n<=2026-02-10", "huge<=1e20",
    ]

    @Test(arguments: failing)
    func fails(text: String) throws {
        let event = try #require(JSONParser.parse(text: Self.event).objectValue)
        #expect(try !BooleanQuery(parsing: text).matches(event))
    }

    @Test(arguments: ["", " ", "\t\r\n "])
    func blanksMatchEverything(text: String) throws {
        #expect(try BooleanQuery(parsing: text).matches([:]))
    }

    @Test func numbersAreComparedWithInstantsAsUnixSeconds() throws {
        let event: JSONObject = ["ts": .double(1_762_135_095.18), "sec": 1_762_135_095]
        for text in [
            "ts>=2025-11-03T01:58:15.18Z", "ts<=2025-11-03T01:58:15.18Z", "ts<=2025-11-03T01:58:15.1800000001Z",
            "sec>=2025-11-03T02:58:15+01:00", "NOT sec>=2025-11-03T01:58:15.001Z", "NOT ts=2025-11-03T01:58:15.18Z",
            "ts=1762135095.18", "ts=1762135095.180000", "ts~095.18",
        ] {
            #expect(try BooleanQuery(parsing: text).matches(event), "\(text)")
        }
    }

    @Test func healingEventsAreFlatWithSixDecimals() throws {
        let draft = AuditDraft(
            actor: "alertmanager", action: "healing.decision_skip", resource: "x", outcome: .success,
            metadata: ["reason": "cooldown", "rule": .null, "actor": "forged", "alertname": "HighCPU"])
        for (micros, decimals) in [(1_762_135_095_180_000, "180000"), (1_762_135_095_000_001, "000001")] as [(Int64, _)]
        {
            let lines = SegmentText.lines(
                writer: "w1", created: Timestamp(microseconds: micros), firstSequence: 1, previousSegment: nil,
                previousHash: String(repeating: "0", count: 64),
                entries: [("018e0000-0000-7000-8000-000000000001", Timestamp(microseconds: micros), draft)], closed: nil
            )
            let row = try #require(AuditRow(line: lines[1], writer: "w1"))
            let event = try #require(HealingView.event(of: row))
            let expected = """
                {"kind":"decision_skip","ts":1762135095.\(decimals),"id":"018e0000-0000-7000-8000-000000000001",\
                "actor":"alertmanager","alertname":"HighCPU","reason":"cooldown"}
                """
            #expect(String(decoding: HealingView.encoded(event), as: UTF8.self) == expected)
            #expect(try BooleanQuery(parsing: "ts=1762135095.\(decimals) AND kind~SKIP").matches(event))
            #expect(HealingView.entry(row).count == 14)
        }
        let other = try #require(
            AuditRow(
                line: SegmentText.lines(
                    writer: "w1", created: Timestamp(seconds: 1), firstSequence: 1, previousSegment: nil,
                    previousHash: String(repeating: "0", count: 64),
                    entries: [("id", Timestamp(seconds: 1), makeDraft())], closed: nil)[1], writer: "w1"))
        #expect(HealingView.event(of: other) == nil)
    }
}
