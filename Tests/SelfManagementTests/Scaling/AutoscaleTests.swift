// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import SelfManagement
internal import TestSupport
internal import Testing

@Suite struct AutoscaleTests {
    private static let start = Timestamp(seconds: 1_770_000_000)

    @Test(arguments: [
        (2, [100.0, 100], 100.0, 2), (2, [110, 110], 100, 2), (2, [111, 111], 100, 3), (2, [90, 90], 100, 2),
        (2, [89, 89], 100, 2), (4, [60, 60, 60, 60], 100, 3), (3, [200, 200, 200], 100, 6),
        // Who does not answer counts as at the target.
        (2, [200], 100, 3), (4, [10], 100, 4), (4, [10, 10], 100, 3), (3, [], 100, 3), (2, [0, 0], 100, 0),
        (2, [.infinity, 0], 100, 2),
    ])
    func worksOutWhatIsWanted(replicas: Int, measured: [Double], target: Double, wanted: Int) {
        #expect(AutoscaleCalculation.wanted(replicas: replicas, measured: measured, target: target) == wanted)
    }

    /// Runs a load and gives the number of replicas at each half minute.
    private func run(_ wishes: [Int], from replicas: Int, maximum: Int = 50) -> [Int] {
        var calculation = AutoscaleCalculation()
        var replicas = replicas
        return wishes.enumerated().map { index, wanted in
            let now = Self.start.adding(seconds: Int64(index) * 30)
            let next = calculation.next(wanted: wanted, replicas: replicas, minimum: 1, maximum: maximum, at: now)
            if next != replicas { calculation.changed(by: next - replicas, at: now) }
            replicas = next
            return next
        }
    }

    @Test func risesAtMostToTheDoubleOrByFourAMinute() {
        #expect(run([40, 40, 40, 40, 40, 40], from: 1) == [5, 5, 10, 10, 20, 20])
        #expect(run([3, 3], from: 2) == [3, 3])
        #expect(run([40, 40, 40], from: 1, maximum: 7) == [5, 5, 7])
    }

    @Test func fallsByOneAMinuteAfterFiveQuietMinutes() {
        let numbers = run(Array(repeating: 2, count: 20), from: 5)
        #expect(numbers == Array(repeating: 5, count: 10) + [4, 4, 3, 3, 2, 2, 2, 2, 2, 2])
        // The highest wish of the last five minutes holds it.
        var wishes = Array(repeating: 2, count: 20)
        wishes[8] = 5
        #expect(run(wishes, from: 5)[0..<18].allSatisfy { $0 == 5 })
    }

    @Test func neverLeavesItsBounds() {
        let random = SeededRandom(seed: 3)
        for _ in 0..<FuzzCases.count(200) {
            var calculation = AutoscaleCalculation()
            var replicas = 1 + random.below(10)
            for step in 0..<50 {
                let now = Self.start.adding(seconds: Int64(step) * Int64(random.below(100)))
                let next = calculation.next(
                    wanted: random.below(101), replicas: replicas, minimum: 1, maximum: 10, at: now)
                #expect((1...10).contains(next) && next >= replicas - 1)
                if random.below(3) > 0 {
                    calculation.changed(by: next - replicas, at: now)
                    replicas = next
                }
            }
        }
    }

    @Test func worksOutRatesOfCounters() {
        var samples = LoadSamples()
        func at(_ seconds: Int64) -> Timestamp { Self.start.adding(seconds: seconds) }
        samples.add(1000, of: "a", at: at(0))
        #expect(samples.rate(of: "a", at: at(0)) == nil)
        samples.add(1300, of: "a", at: at(30))
        #expect(samples.rate(of: "a", at: at(30)) == 10)
        samples.add(1300, of: "a", at: at(60))
        #expect(samples.rate(of: "a", at: at(60)) == 5)
        // One that began anew says nothing for a while, and one that is not heard of neither.
        samples.add(5, of: "a", at: at(90))
        #expect(samples.rate(of: "a", at: at(90)) == nil)
        samples.add(35, of: "a", at: at(120))
        #expect(samples.rate(of: "a", at: at(120)) == 1)
        #expect(samples.rate(of: "a", at: at(181)) == nil)
        samples.keep([])
        #expect(samples.rate(of: "a", at: at(120)) == nil)
        samples.add(.nan, of: "b", at: at(0))
        #expect(samples.rate(of: "b", at: at(0)) == nil)
    }

    @Test func sumsSamplesOfAText() {
        let text = """
            # TYPE tollgate_http_requests_total counter
            tollgate_http_requests_total{status="2xx"} 10
            tollgate_http_requests_total{status="4xx"} 2.5
            tollgate_http_requests_total_more 900
            tollgate_decisions_total{door="json",result="allow"} 100
            tollgate_decisions_total{door="nginx",result="a,b}\\"c"} 7 1700000000
            process_cpu_seconds_total 3.25
            broken{ 1
            tollgate_http_requests_total{status="5xx"} NaN
            """
        #expect(ExpositionText.sum(of: "tollgate_http_requests_total", in: text) == 12.5)
        #expect(ExpositionText.sum(of: "tollgate_decisions_total", in: text) == 107)
        #expect(ExpositionText.sum(of: "process_cpu_seconds_total", in: text) == 3.25)
        #expect(ExpositionText.sum(of: "nothing", in: text) == nil)
    }

    @Test func readsAnyText() {
        let random = SeededRandom(seed: 9)
        let alphabet = Array("a{}\" \n1".utf8)
        for _ in 0..<FuzzCases.count(2000) {
            let bytes = random.bytes(random.below(200)).map { alphabet[Int($0) % alphabet.count] }
            _ = ExpositionText.sum(of: "a", in: String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test(
        arguments: [
            ("250m", 250), ("2", 2000), ("0.5", 500), ("1.25", 1250), ("0.0005", 1), ("1.5001", 1501), ("", nil),
            ("m", nil),
            ("-1", nil), ("1.", nil), (".5", nil), ("1e3", nil), ("99999999999999999", nil),
        ] as [(String, Int?)])
    func readsQuantities(text: String, millis: Int?) {
        #expect(ProcessorQuantity.millis(.string(text)) == millis)
    }
}
