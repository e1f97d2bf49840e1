// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import HTTPService
internal import Pipeline
internal import TestSupport
internal import Testing

extension IdentityKinds {
    /// The original request as a door reads it and as the pipeline's first step normalises it.
    @Sendable static func origin(_ record: CaseRecord) async throws {
        let expect = record.expect
        switch try origin(record.given, try #require(record.json["request"])) {
        case .failure(let refusal):
            #expect(expect["status"]?.intValue == Int64(refusal.status))
            #expect(expect["code"]?.stringValue == refusal.code.rawValue)
            if let reason = expect["reason"] { #expect(refusal.details?["reason"] == reason) }
        case .success(let found):
            for name in ["method", "host", "path", "query"] where expect[name] != nil {
                #expect(found[name] == expect[name], "\(name)")
            }
        }
    }

    private static func origin(_ given: JSONValue, _ request: JSONValue) throws -> Result<JSONObject, Refusal> {
        let trusted = (given["trusted"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { CIDR($0) } }
        let peer = try #require(IPAddress(given["peer"]?.stringValue ?? "192.0.2.10"))
        guard trusted.contains(where: { $0.contains(peer) }) else { return .failure(Refusal(.decisionUntrustedProxy)) }
        var headers = HeaderList()
        var authority: String?
        for pair in request["headers"]?.arrayValue ?? [] {
            let name = ASCII.lowercased(try #require(pair.arrayValue?.first?.stringValue))
            let value = try #require(pair.arrayValue?.last?.stringValue)
            if name == "host", authority == nil { authority = value } else { headers.append(name: name, value: value) }
        }
        do {
            let origin = try OriginReader.read(
                door: try #require(Door(rawValue: given["door"]?.stringValue ?? "")),
                method: try #require(request["method"]?.stringValue),
                target: try #require(request["target"]?.stringValue), authority: authority, headers: headers)
            return normalised(origin)
        } catch let refusal as Refusal {
            return .failure(refusal)
        }
    }

    private static func normalised(_ origin: OriginalRequest) -> Result<JSONObject, Refusal> {
        guard let method = RequestNormalizer.method(origin.method) else { return .failure(Refusal(.requestBadMethod)) }
        guard let host = origin.host.flatMap({ RequestNormalizer.host($0) }) else {
            return .failure(Refusal(.requestBadHost))
        }
        guard let target = origin.target else { return .failure(PathFault.notAbsolute.refusal) }
        return CanonicalPath.parse(target).mapError(\.refusal).map { path in
            [
                "method": .string(method), "host": .string(host), "path": .string(path.text),
                "query": .optional(path.query),
            ]
        }
    }
}
