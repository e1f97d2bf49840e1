// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads `data` of an event by its type, in two looks: what is missing is told before anything else about the event, the rest after the
/// event is known not to be a repeat.
struct UsageContent {
    private enum Kind: String {
        case tokens = "dev.tollgate.usage.tokens"
        case agent = "dev.tollgate.usage.agent"
        case task = "dev.tollgate.usage.task"
    }

    private let kind: Kind?
    private let data: JSONObject
    /// Longest text of a dimension, in bytes.
    static let maximumTextBytes = 256

    init(type: String, data: JSONObject) {
        kind = Kind(rawValue: type)
        self.data = data
    }

    /// What is not there, or no text that can be kept.
    ///
    /// - Throws: `usage.missing_field`, `request.invalid`.
    func checkMembers() throws(Refusal) {
        guard let kind else { return }
        switch kind {
        case .tokens: try Self.required(data, "model", in: "data.")
        case .agent:
            try Self.required(data, "agent", in: "data.")
            guard let operation = data["operation"], !operation.isNull else {
                throw UsageRefusal.at(.usageMissingField, "data.operation")
            }
        case .task: break
        }
        for name in ["provider", "agent", "user", "project", "session", "task", "reservation"] {
            try Self.optional(data, name, in: "data.")
        }
    }

    /// What was used.
    ///
    /// - Throws: `usage.unknown_type`, `usage.bad_operation`, `usage.bad_count`, `usage.inconsistent_counts`, `usage.missing_counts`.
    func read() throws(Refusal) -> UsageEvent.Content {
        switch kind {
        case .none: throw UsageRefusal.at(.usageUnknownType, "type")
        case .tokens: return try tokens()
        case .agent: return try agent()
        case .task:
            guard let count = try count("count") else { throw UsageRefusal.at(.usageMissingCounts, "data.count") }
            return .tasks(count)
        }
    }

    private func tokens() throws(Refusal) -> UsageEvent.Content {
        let members = TokenMembers(data)
        if let fault = members.fault { throw UsageRefusal.at(fault.code, "data.\(fault.field)") }
        guard members.isAnyGiven else { throw UsageRefusal.at(.usageMissingCounts, "data") }
        return .tokens(
            members.tokens, model: data["model"]?.stringValue ?? "", provider: text("provider"))
    }

    /// Calls count one unless they say otherwise; of a run the seconds are needed.
    private func agent() throws(Refusal) -> UsageEvent.Content {
        let operation = data["operation"]?.stringValue
        guard operation == "invoke" || operation == "run" else {
            throw UsageRefusal.at(.usageBadOperation, "data.operation")
        }
        let calls = try count("count")
        let seconds = try count("seconds")
        if operation == "run", seconds == nil { throw UsageRefusal.at(.usageMissingCounts, "data.seconds") }
        return .agent(
            data["agent"]?.stringValue ?? "", calls: calls ?? (operation == "invoke" ? 1 : 0), seconds: seconds ?? 0)
    }

    /// A text that may be there; an empty one says nothing.
    func text(_ name: String) -> String? {
        guard let text = data[name]?.stringValue, !text.isEmpty else { return nil }
        return text
    }

    private func count(_ name: String) throws(Refusal) -> Int64? {
        guard let value = data[name], !value.isNull else { return nil }
        guard let count = value.intValue, (0...TokenCounts.maximum).contains(count) else {
            throw UsageRefusal.at(.usageBadCount, "data.\(name)")
        }
        return count
    }

    /// A text of at least one byte.
    ///
    /// - Throws: `usage.missing_field`; `request.invalid` for one that cannot be kept.
    @discardableResult
    static func required(_ object: JSONObject, _ name: String, in path: String = "") throws(Refusal) -> String {
        guard let text = object[name]?.stringValue, !text.isEmpty else {
            throw UsageRefusal.at(.usageMissingField, path + name)
        }
        guard isPlain(text) else { throw unkept(path + name) }
        return text
    }

    private static func optional(_ object: JSONObject, _ name: String, in path: String) throws(Refusal) {
        guard let value = object[name], !value.isNull else { return }
        guard let text = value.stringValue, isPlain(text) else { throw unkept(path + name) }
    }

    private static func unkept(_ field: String) -> Refusal {
        let words = "it must be a text of at most \(maximumTextBytes) bytes without control characters"
        return Refusal(.requestInvalid, message: "\(field): \(words)", details: ["field": .string(field)])
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= maximumTextBytes && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

/// Refusals of events.
enum UsageRefusal {
    /// A code with the member that it is about.
    static func at(_ code: ErrorCode, _ field: String) -> Refusal {
        Refusal(code, message: "\(field): \(code.message)", details: ["field": .string(field)])
    }
}
