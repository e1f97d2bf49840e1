// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

/// Every rule of the evaluator is held by some case: with a wrong one in its place, a case gives another answer.
@Suite struct SeededFaultTests {
    @Test(arguments: SeededFault.all)
    func isFoundOut(_ fault: SeededFault) throws {
        let found = try Self.failing(fault)
        print("fault: \(fault): found out by \(found.count) cases: \(found.prefix(5).joined(separator: ", "))")
        #expect(!found.isEmpty, "no case notices")
    }

    @Test func theRightEvaluatorIsNotBlamed() throws {
        #expect(SeededFault.all.count >= 10)
        #expect(try Self.failing(.none) == [])
    }

    /// Names of the cases that a fault gives another answer to.
    private static func failing(_ fault: SeededFault) throws -> [String] {
        try CaseFile.all(area: "policy").compactMap { record in
            // Role data that is refused never meets the evaluator.
            guard record.expect["code"] != "policy.roles_invalid" else { return nil }
            let decision = try PolicyCaseRun(json: record.json, fault: fault).decision()
            return PolicyCaseRun.differences(decision, record.expect).isEmpty ? nil : record.id
        }
    }
}
