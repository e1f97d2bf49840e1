// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

extension IdentityKinds {
    @Sendable static func clientAddress(_ record: CaseRecord) async throws {
        for row in record.rows {
            let given = row["given"] ?? .null
            let peer = try #require(IPAddress(given["peer"]?.stringValue ?? ""))
            let trusted = (given["trusted"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { CIDR($0) } }
            var headers = HeaderList()
            for line in given["x_forwarded_for"]?.arrayValue ?? [] {
                headers.append(name: "x-forwarded-for", value: line.stringValue ?? "")
            }
            if let real = given["x_real_ip"]?.stringValue { headers.append(name: "x-real-ip", value: real) }
            let client = ClientAddressResolver(trusted: trusted).resolve(peer: peer, headers: headers)
            #expect(client.description == row["expect"]?["client"]?.stringValue)
        }
    }
}
