// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A checked event as a claim keeps it until it is applied.
extension UsageEvent {
    /// JSON; `init(document:)` reads it.
    package var document: String {
        var object: JSONObject = [
            "source": .string(source), "id": .string(id), "digest": .string(digest), "account": .string(account),
            "at": .int(at.microseconds), "kind": .string(content.kind),
        ]
        switch content {
        case .tokens(let counts, let model, let provider):
            object["model"] = .string(model)
            object["provider"] = provider.map(JSONValue.string)
            object["counts"] = .array(
                [counts.input, counts.output, counts.cacheRead, counts.cacheWrite, counts.reasoning].map(JSONValue.int))
        case .agent(let name, let calls, let seconds):
            object["name"] = .string(name)
            object["calls"] = .int(calls)
            object["seconds"] = .int(seconds)
        case .tasks(let count): object["count"] = .int(count)
        }
        for (name, text) in [
            ("agent", agent), ("user", user), ("project", project), ("session", session), ("task", task),
            ("reservation", reservation), ("actor", actor),
        ] { object[name] = text.map(JSONValue.string) }
        return JSONValue.object(object).jsonText
    }

    /// Reads what `document` wrote.
    ///
    /// - Throws: `BillingStoreError` `unreadable`.
    package init(document: String) throws(BillingStoreError) {
        // What it is instead helps nobody: it cannot be read.
        guard let json = try? JSONParser.parse(text: document), let source = json["source"]?.stringValue,
            let id = json["id"]?.stringValue, let digest = json["digest"]?.stringValue,
            let account = json["account"]?.stringValue, let at = json["at"]?.intValue, let content = Self.content(json)
        else { throw BillingStoreError(.unreadable, "An event that waits cannot be read") }
        self.init(
            source: source, id: id, digest: digest, account: account, at: Timestamp(microseconds: at),
            content: content, agent: json["agent"]?.stringValue, user: json["user"]?.stringValue,
            project: json["project"]?.stringValue, session: json["session"]?.stringValue,
            task: json["task"]?.stringValue, reservation: json["reservation"]?.stringValue,
            actor: json["actor"]?.stringValue)
    }

    private static func content(_ json: JSONValue) -> Content? {
        switch json["kind"]?.stringValue {
        case "tokens":
            let counts = json["counts"]?.arrayValue?.compactMap(\.intValue) ?? []
            guard counts.count == 5, let model = json["model"]?.stringValue else { return nil }
            return .tokens(
                TokenCounts(
                    input: counts[0], output: counts[1], cacheRead: counts[2], cacheWrite: counts[3],
                    reasoning: counts[4]), model: model, provider: json["provider"]?.stringValue)
        case "agent":
            guard let name = json["name"]?.stringValue, let calls = json["calls"]?.intValue,
                let seconds = json["seconds"]?.intValue
            else { return nil }
            return .agent(name, calls: calls, seconds: seconds)
        case "task": return json["count"]?.intValue.map(Content.tasks)
        default: return nil
        }
    }
}
