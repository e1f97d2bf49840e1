// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func host(_ record: CaseRecord) async throws {
        let candidates = try (record.given["auth_configs"]?.arrayValue ?? []).map { config in
            let namespace = try #require(config["namespace"]?.stringValue)
            let name = try #require(config["name"]?.stringValue)
            let created = try #require(config["created"]?.stringValue)
            return HostTable.Candidate(
                key: "\(namespace)/\(name)", createdAt: try #require(Timestamp(rfc3339: created)),
                hosts: config["hosts"]?.arrayValue?.compactMap(\.stringValue) ?? [],
                broken: config["broken"]?.boolValue ?? false)
        }
        let table = HostTable(candidates)
        for row in record.rows {
            let raw = try #require(row["given"]?["host"]?.stringValue)
            let found: JSONValue
            if let host = RequestNormalizer.host(raw) {
                switch table.match(host) {
                case nil: found = ["status": 404, "code": .string(ErrorCode.authNoConfig.rawValue)]
                case let match? where match.broken:
                    found = ["status": 503, "code": .string(ErrorCode.configInvalid.rawValue)]
                case let match?: found = ["auth_config": .string(candidates[match.index].key)]
                }
            } else {
                found = ["status": 400, "code": "request.bad_host"]
            }
            #expect(found == row["expect"], "\(raw)")
        }
        let conflicts = table.conflicts.map { conflict -> JSONValue in
            ["loser": .string(conflict.loser), "host": .string(conflict.host), "winner": .string(conflict.winner)]
        }
        #expect(.array(conflicts) == record.expect["conflicts"] ?? .array([]))
        let backwards = HostTable(candidates.reversed())
        #expect(backwards.conflicts == table.conflicts)
    }
}
