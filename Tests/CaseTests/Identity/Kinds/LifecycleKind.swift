// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import Pipeline
internal import TestSupport
internal import Testing

extension IdentityKinds {
    /// The life of tokens over the real HTTP doors, pipeline, registry and database.
    @Sendable static func lifecycle(_ record: CaseRecord) async throws {
        let world = try LifecycleWorld(plan: record.given["plan"]?.stringValue)
        var run = LifecycleRun(world: world)
        for caller in record.given["callers"]?.objectValue?.members ?? [] {
            if caller.value == "admin" {
                run.callers[caller.name] = LifecycleWorld.adminText
            } else if let claims = caller.value["jwt"] {
                run.callers[caller.name] = try world.jwt(claims)
            } else {
                let token = try #require(caller.value["service_token"], "a caller of an unknown kind")
                run.callers[caller.name] = try await world.token(token)
            }
        }
        for (index, step) in record.steps.enumerated() { try await run.run(step, at: "\(record.id) step \(index)") }
    }
}

/// The steps of one case, with what earlier steps saved.
private struct LifecycleRun {
    let world: LifecycleWorld
    var callers: [String: String] = [:]
    private var saved: [String: JSONValue] = [:]

    init(world: LifecycleWorld) { self.world = world }

    mutating func run(_ step: JSONValue, at place: String) async throws {
        world.move(to: step["at"]?.intValue ?? 0)
        let expect = resolved(step["expect"] ?? .null)
        if let text = step["authenticate"]?.stringValue {
            let decision = await world.present(resolved(text), asKey: step["via"] == "x-api-key")
            return check(decision, expect, place)
        }
        let request = resolved(try #require(step["request"]))
        let caller = try #require(step["as"]?.stringValue.flatMap { callers[$0] })
        let reply = try await world.send(
            try #require(request["method"]?.stringValue), try #require(request["path"]?.stringValue),
            body: request["body"], token: caller)
        if let name = step["save"]?.stringValue { saved[name] = reply.json }
        check(reply, expect, place)
    }

    private func check(_ decision: Decision, _ expect: JSONValue, _ place: String) {
        #expect(Int64(decision.status) == expect["status"]?.intValue, "\(place)")
        if let code = expect["code"]?.stringValue { #expect(decision.refusal?.code.rawValue == code, "\(place)") }
        let principal = decision.principal.json(includingClaims: true)
        for member in expect["principal"]?.objectValue?.members ?? [] {
            #expect(principal[member.name] == member.value, "\(place) \(member.name)")
        }
    }

    private func check(_ reply: LifecycleWorld.Reply, _ expect: JSONValue, _ place: String) {
        let body = reply.json
        #expect(Int64(reply.status) == expect["status"]?.intValue, "\(place): \(reply.text)")
        if let code = expect["code"] { #expect(body["code"] == code, "\(place)") }
        for (part, found) in [("body", body), ("details", body["details"] ?? .null)] {
            for member in expect[part]?.objectValue?.members ?? [] {
                #expect(found[member.name] == member.value, "\(place) \(part).\(member.name)")
            }
        }
        for name in expect["not_null"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            #expect(body[name] != nil && body[name] != .null, "\(place) \(name)")
        }
        for name in expect["null"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            #expect(body[name] == .null, "\(place) \(name)")
        }
        for member in expect["starts_with"]?.objectValue?.members ?? [] {
            let start = member.value.stringValue ?? ""
            #expect(body[member.name]?.stringValue?.hasPrefix(start) == true, "\(place) \(member.name)")
        }
        for text in expect["text_absent"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            #expect(!text.isEmpty && !text.hasPrefix("$") && !reply.text.contains(text), "\(place)")
        }
    }

    /// A text with the members of saved answers in the places of `$name.member`.
    private func resolved(_ text: String) -> String {
        var text = text
        for (name, body) in saved {
            for member in body.objectValue?.members ?? [] {
                guard let value = member.value.stringValue else { continue }
                text = text.replacing("$\(name).\(member.name)", with: value)
            }
        }
        return text
    }

    private func resolved(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): return .string(resolved(text))
        case .array(let elements): return .array(elements.map(resolved))
        case .object(let object):
            var result = JSONObject()
            for member in object.members { result[member.name] = resolved(member.value) }
            return .object(result)
        default: return value
        }
    }
}
