// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import ExtAuthzService
internal import HTTPService
internal import Pipeline
internal import TestSupport
internal import Testing

extension IdentityKinds {
    /// What each door makes of an outcome.
    @Sendable static func answer(_ record: CaseRecord) async throws {
        for row in record.rows {
            let name = try #require(row["given"]?["door"]?.stringValue)
            let door = try #require(Door(rawValue: name))
            let given = try #require(row["given"]?["outcome"])
            let expect = try #require(row["expect"])
            let status = Int(try #require(given["status"]?.intValue))
            guard door != .grpc else {
                expectVerdict(CheckVerdict(status: status), expect)
                continue
            }
            guard status != 200 else {
                let answer = ForwardAuthAnswer.allowed(
                    door: door, principal: .anonymous, credentialHeader: nil, forwardsCredential: false,
                    requestID: "r")
                #expect(answer.status == Int(expect["status"]?.intValue ?? 0))
                continue
            }
            let code = given["code"]?.stringValue
            // Codes of parts that are not built yet have no challenge: none of them is a 401 or 403.
            let refusal = code.flatMap { ErrorCode(rawValue: $0) }.map { Refusal($0) }
            let outcome = ForwardAuthAnswer.Outcome(
                status: status, code: code, message: given["message"]?.stringValue ?? refusal?.message,
                retryAfterSeconds: given["retry_after"]?.intValue, challenge: refusal?.challenge)
            let answer = ForwardAuthAnswer.refused(door: door, outcome: outcome, requestID: "r")
            #expect(answer.status == Int(expect["status"]?.intValue ?? 0))
            for member in expect["headers"]?.objectValue?.members ?? [] {
                let sent = answer.headers.filter { $0.name.lowercased() == member.name.lowercased() }
                #expect(sent.map(\.value) == [member.value.stringValue], "\(member.name)")
            }
        }
    }

    private static func expectVerdict(_ verdict: CheckVerdict, _ expect: JSONValue) {
        switch verdict {
        case .allowed: #expect(expect["status_code"]?.intValue == 0)
        case .denied(let statusCode, let httpStatus):
            #expect(expect["status_code"]?.intValue == Int64(statusCode))
            #expect(expect["denied_status"]?.intValue == Int64(httpStatus))
        case .unavailable: #expect(expect["rpc_error"]?.intValue == Int64(CheckVerdict.unavailableCode))
        }
    }
}
