// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import AuditTrail

@Suite struct AuditLogTests {
    @Test func writesWhatWasAcceptedAsAnIntactChain() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            for number in 0..<100 { #expect(trail.acceptNow(makeDraft("user-\(number)"))) }
            try await trail.record(makeDraft("durable"))
            let rows = try await everything(trail)
            #expect(rows.map(\.sequence) == (1...101).map(Int64.init))
            #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.at < $1.at })
            await trail.close()
            let report = AuditVerifier.verify(directory: directory)
            #expect(report.exitCode == 0, "\(report.text)")
            #expect(report.writers.first?.entries == 101)
            #expect(!trail.acceptNow(makeDraft()))
            await #expect(throws: Refusal.self) { try await trail.record(makeDraft()) }
        }
    }

    @Test func everyAcknowledgedEntryIsInTheFileAtOnce() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        do { try await trail.record(makeDraft("user-\(number)")) } catch { Issue.record("\(error)") }
                    }
                }
            }
            // Without closing anything: what a killed process leaves.
            let copy = directory + "-copy"
            try FileManager.default.copyItem(atPath: directory, toPath: copy)
            defer { try? FileManager.default.removeItem(atPath: copy) }  // a temporary directory
            let after = makeTrail(copy)
            try after.open()
            await after.close()
            #expect(AuditVerifier.verify(directory: copy).writers.first?.entries == 200)
            await trail.close()
        }
    }

    @Test func aFailedSyncBeginsANewSegmentAndLosesNothing() async throws {
        try await withDirectory { directory in
            let failures = Mutex(0)
            var calls = FileCalls.system
            calls.sync = { descriptor in
                let fails = failures.withLock { left in
                    defer { left = max(0, left - 1) }
                    return left > 0
                }
                return fails ? -1 : FileCalls.system.sync(descriptor)
            }
            let clock = ManualClock()
            // The test says when the next try is made, not a timer.
            let trail = makeTrail(directory, clock: clock, calls: calls) { $0.retryInterval = .seconds(3600) }
            try trail.open()
            try await trail.record(makeDraft("one"))
            failures.withLock { $0 = 1 }
            try await trail.record(makeDraft("two"))
            try await trail.record(makeDraft("three"))
            #expect(try await everything(trail).map(\.actor) == ["one", "two", "three"])
            #expect(try AuditFiles.segments(in: "\(directory)/w1").count == 2)

            // A second failure within ten seconds means that nothing can be written.
            clock.advance(seconds: 5)
            failures.withLock { $0 = 1 }
            await #expect(throws: Refusal(.auditUnavailable)) { try await trail.record(makeDraft("lost")) }
            #expect(throws: Refusal(.auditUnavailable)) { try trail.checkWritable() }
            #expect(!trail.acceptNow(makeDraft()))
            #expect(!trail.acceptAllowedDecision(makeDecision("a", at: clock.now())))
            clock.advance(seconds: 20)
            trail.writer.retry()
            try await trail.record(makeDraft("four"))
            await trail.close()
            let report = AuditVerifier.verify(directory: directory)
            #expect(report.exitCode == 0, "\(report.text)")
            #expect(report.writers.first?.entries == 4)
        }
    }

    @Test func aFullQueueRefusesUnlessToldToPass() async throws {
        try await withDirectory { directory in
            let closed = makeTrail(directory)
            #expect(!closed.acceptNow(makeDraft()))
            await #expect(throws: Refusal(.auditUnavailable)) { try await closed.accept(makeDraft()) }
            let open = makeTrail(directory) { $0.failsOpen = true }
            #expect(open.acceptNow(makeDraft()))
            try await open.record(makeDraft())
            try open.checkWritable()
        }
        let mailbox = AuditMailbox(capacity: 2)
        mailbox.setAccepting(true)
        let now = Timestamp(seconds: 1)
        _ = mailbox.put(makeDraft(), now: now)
        _ = mailbox.put(makeDraft(), now: now)
        guard case .refused = mailbox.put(makeDraft(), now: now) else { return #expect(Bool(false)) }
        #expect(mailbox.depth == 2)
    }

    @Test func aFullSegmentIsFollowedByTheNext() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory) { $0.segmentBytes = 2000 }
            try trail.open()
            for number in 0..<20 { try await trail.record(makeDraft("user-\(number)")) }
            await trail.close()
            #expect(try AuditFiles.segments(in: "\(directory)/w1").count > 3)
            let report = AuditVerifier.verify(directory: directory)
            #expect(report.exitCode == 0, "\(report.text)")
            #expect(AuditVerifier.verify(directory: directory, options: .init(from: 10, to: 12)).exitCode == 0)
        }
    }

    @Test func filesAreForTheirOwnerOnly() async throws {
        try await withDirectory { directory in
            let trail = makeTrail(directory)
            try trail.open()
            await trail.close()
            func mode(_ path: String) throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            #expect(try mode("\(directory)/w1") == 0o700)
            for name in try AuditFiles.names(in: "\(directory)/w1") {
                #expect(try mode("\(directory)/w1/\(name)") == 0o600, "\(name)")
            }
        }
    }

    @Test func foldsAllowedDecisions() async throws {
        try await withDirectory { directory in
            let clock = ManualClock()
            let trail = makeTrail(directory, clock: clock)
            try trail.open()
            for _ in 0..<1000 { #expect(trail.acceptAllowedDecision(makeDecision("a", at: clock.now()))) }
            clock.advance(seconds: 9)
            #expect(trail.acceptAllowedDecision(makeDecision("a", at: clock.now())))
            #expect(trail.acceptAllowedDecision(makeDecision("b", at: clock.now())))
            clock.advance(seconds: 1)
            trail.tick()
            try await trail.record(makeDraft("end"))
            let rows = try await everything(trail)
            #expect(rows.map(\.actor) == ["a", "end"])
            let metadata = try JSONParser.parse(rows[0].line)["metadata"]
            #expect(metadata?["count"] == 1001)
            #expect(metadata?["last_time"] == "2026-03-01T12:00:09.000000Z")
            await trail.close()
            #expect(AuditVerifier.verify(directory: directory).writers.first?.entries == 3)
        }
    }

    @Test func foldsAFloodOfRefusals() async throws {
        try await withDirectory { directory in
            let clock = ManualClock()
            let trail = makeTrail(directory, clock: clock)
            try trail.open()
            for _ in 0..<5000 { #expect(trail.acceptNow(makeRefusal("203.0.113.9"))) }
            #expect(trail.acceptNow(makeRefusal("203.0.113.10")))
            clock.advance(seconds: 11)
            trail.tick()
            try await trail.record(makeDraft("end"))
            let rows = try await everything(trail)
            #expect(rows.count == 103)
            let folded = try JSONParser.parse(rows[101].line)
            #expect(folded["metadata"]?["count"] == 4900)
            await trail.close()
        }
    }

    @Test func backsUpWhatVerifies() async throws {
        try await withDirectory { directory in
            let trail = makeTrail("\(directory)/a") { $0.segmentBytes = 2000 }
            try trail.open()
            for number in 0..<10 { try await trail.record(makeDraft("user-\(number)")) }
            _ = try AuditBackup.run(from: "\(directory)/a", to: "\(directory)/b")
            #expect(AuditVerifier.verify(directory: "\(directory)/b").writers.first?.entries == 10)
            for number in 0..<10 { try await trail.record(makeDraft("user-\(number)")) }
            await trail.close()
            let report = try AuditBackup.run(from: "\(directory)/a", to: "\(directory)/b")
            #expect(report.present > 0)
            let verified = AuditVerifier.verify(directory: "\(directory)/b")
            #expect(verified.exitCode == 0, "\(verified.text)")
            #expect(verified.writers.first?.entries == 20)
        }
    }
}
