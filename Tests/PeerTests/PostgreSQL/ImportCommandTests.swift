// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Glibc
internal import Persistence
internal import TestSupport
internal import Testing

/// `tollgate db import` as a person runs it.
@Suite(.timeLimit(.minutes(10))) struct ImportCommandTests {
    private static func run(
        _ from: String, _ target: TestDatabase, _ more: String...
    ) async throws -> (status: Int32, output: String) {
        try await PeerProcess.run(
            name: "tollgate", executable: try PeerPaths.tollgate(),
            arguments: ["db", "import", "--from", from] + more,
            environment: ["TOLLGATE_DATABASE_ADMIN_URL": target.adminURL], folder: try TemporaryDirectory(),
            within: .seconds(300))
    }

    private static func fill(_ directory: TemporaryDirectory) async throws {
        let store = try SQLiteStore(path: directory.path("tollgate.sqlite"), clock: ManualClock())
        try await store.write((0..<3).map { .insert(StoreRecords.token("t\($0)")) })
        try await store.write([.insertProject(StoreRecords.project("zeus"))])
        try store.close()
    }

    @Test func importsOnceAndCounts() async throws {
        let directory = try TemporaryDirectory()
        try await Self.fill(directory)
        let target = try await DatabaseSupport.migrated()
        let first = try await Self.run(directory.path, target, "--output", "table")
        #expect(first.status == 0, "\(first.output)")
        let lines = first.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        for line in [["service_tokens", "3"], ["projects", "1"], ["billing_entries", "0"], ["total", "4"]] {
            #expect(lines.contains(line), "\(first.output)")
        }
        let again = try await Self.run(directory.path("tollgate.sqlite"), target)
        #expect(again.status == 6)
        #expect(again.output.contains("service_tokens, projects have rows: import into a new one"), "\(again.output)")
        #expect(try await target.run("SELECT count(*) FROM tollgate.service_tokens") == "3")
    }

    @Test func refusesInWords() async throws {
        let directory = try TemporaryDirectory()
        let target = try await DatabaseSupport.migrated()
        let none = try await Self.run(directory.path("nowhere"), target)
        #expect(none.status == 5, "\(none.output)")
        let empty = try await Self.run(directory.path, target)
        #expect(empty.status == 5 && empty.output.contains("tollgate.sqlite"), "\(empty.output)")
        try await Self.fill(directory)
        let bare = try await PostgreSQLServer.shared().makeDatabase()
        let old = try await Self.run(directory.path, bare)
        #expect(old.status == 1 && old.output.contains("tollgate db migrate"), "\(old.output)")
    }

    @Test func doesNotImportWhatAServerStillWrites() async throws {
        let directory = try TemporaryDirectory()
        try await Self.fill(directory)
        let target = try await DatabaseSupport.migrated()
        let holder = open(directory.path("tollgate.lock"), O_RDWR | O_CREAT, 0o600)
        #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
        let refused = try await Self.run(directory.path, target)
        #expect(refused.status == 6 && refused.output.contains("end the server"), "\(refused.output)")
        close(holder)
        #expect(try await Self.run(directory.path, target).status == 0)
    }
}
