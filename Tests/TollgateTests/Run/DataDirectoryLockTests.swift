// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@testable internal import tollgate

/// Who may share a data directory with whom.
@Suite struct DataDirectoryLockTests {
    /// Why a process of the role does not start beside the ones that are there; nil when it does.
    private func refusal(_ role: ProcessRole, beside others: [ProcessRole], in path: String) throws -> String? {
        guard let other = others.first else {
            do {
                let lock = try DataDirectoryLock(path: path, role: role)
                _ = consume lock
                return nil
            } catch let problem as StartupProblem {
                return "\(problem)"
            }
        }
        let held = try DataDirectoryLock(path: path, role: other)
        defer { _ = held.path }
        return try refusal(role, beside: Array(others.dropFirst()), in: path)
    }

    @Test(
        arguments: [
            (ProcessRole.all, []), (.api, [.worker]), (.worker, [.api]), (.controller, [.api, .worker]),
        ] as [(ProcessRole, [ProcessRole])])
    func startsBeside(_ role: ProcessRole, _ others: [ProcessRole]) throws {
        let folder = try TemporaryDirectory()
        #expect(try refusal(role, beside: others, in: folder.path) == nil)
        #expect(try refusal(role, beside: others, in: folder.path) == nil, "nothing stays held")
    }

    @Test(
        arguments: [
            (
                ProcessRole.all, [.all],
                "TOLLGATE_DATA_DIR: another tollgate process holds PATH. Stop it or name another directory."
            ),
            (
                .all, [.api],
                "TOLLGATE_DATA_DIR: another tollgate process holds PATH. Stop it or name another directory."
            ),
            (
                .all, [.worker, .api],
                "TOLLGATE_DATA_DIR: another tollgate process holds PATH. Stop it or name another directory."
            ),
            (
                .api, [.all],
                "TOLLGATE_DATA_DIR: a tollgate process of role all holds PATH. Stop it, start it with TOLLGATE_ROLE api or worker, or name another directory."
            ),
            (
                .api, [.worker, .api],
                "TOLLGATE_ROLE: another tollgate process of role api holds PATH. Stop it, give this one another role, or name another directory in TOLLGATE_DATA_DIR."
            ),
            (
                .worker, [.worker],
                "TOLLGATE_ROLE: another tollgate process of role worker holds PATH. Stop it, give this one another role, or name another directory in TOLLGATE_DATA_DIR."
            ),
        ] as [(ProcessRole, [ProcessRole], String)])
    func refusesBeside(_ role: ProcessRole, _ others: [ProcessRole], _ message: String) throws {
        let folder = try TemporaryDirectory()
        #expect(
            try refusal(role, beside: others, in: folder.path) == message.replacing("PATH", with: folder.path))
        #expect(try refusal(role, beside: [], in: folder.path) == nil, "what was refused holds nothing")
    }
}
