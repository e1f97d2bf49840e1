// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Pipeline
internal import RuntimeState

/// Reads the member `usage` of a call: what the gateway says the request uses.
enum StatedUsageReader {
    /// The actions with the members that belong to each; some belong to all.
    private static let membersOfAction: [String: Set<String>] = [
        "tokens": [
            "provider", "model", "input", "output", "max_output", "cache_read", "cached_input", "cache_write",
            "reasoning",
        ],
        "task": ["count"], "agent.hire": ["id", "premium"], "slot": ["kind", "id"],
    ]
    private static let membersOfAll: Set<String> = ["action", "account", "user", "project", "agent"]
    /// Every member that there is.
    static let members = membersOfAction.values.reduce(membersOfAll) { $0.union($1) }

    private static let countMembers = [
        "input", "output", "max_output", "cache_read", "cached_input", "cache_write", "reasoning",
    ]
    private static let maximumCount: Int64 = 1_000_000_000
    private static let maximumTextBytes = 256

    /// Notes every bad value in the reader.
    ///
    /// - Returns: nil where the action is none that can be asked for.
    static func read(_ usage: JSONObject, _ reader: inout FieldReader) -> StatedUsage? {
        guard let name = reader.text(usage, "action", in: "usage", required: true) else { return nil }
        guard let own = membersOfAction[name], let action = CompiledMetering.Action(rawValue: name) else {
            reader.fault("usage.action", "not one of \(membersOfAction.keys.sorted().joined(separator: ", "))")
            return nil
        }
        for member in usage.members
        where !member.value.isNull && !own.contains(member.name) && !membersOfAll.contains(member.name) {
            reader.fault("usage.\(member.name)", "does not belong to action \(name)")
        }
        func text(_ name: String, required: Bool = false) -> String? {
            let text = reader.text(usage, name, in: "usage", required: required)
            guard let text, !(1...maximumTextBytes).contains(text.utf8.count) || text.utf8.contains(0) else {
                return text
            }
            reader.fault("usage.\(name)", "not 1 to \(maximumTextBytes) bytes without NUL")
            return nil
        }
        let kind = action == .slot ? text("kind", required: true) : nil
        let slot = kind.flatMap(CompiledMetering.Slot.init)
        if kind != nil, slot == nil { reader.fault("usage.kind", "not worker or workspace") }
        let isPremium = usage["premium"]?.boolValue
        if let value = usage["premium"], !value.isNull, isPremium == nil {
            reader.fault("usage.premium", "not true or false")
        }
        return StatedUsage(
            action: action, provider: text("provider"), model: text("model", required: action == .tokens),
            estimate: estimate(usage, action, &reader),
            count: number(usage, "count", from: 1, &reader) ?? 1, slot: slot, id: text("id"),
            isPremium: isPremium ?? false, account: text("account"), user: text("user"), project: text("project"),
            agent: text("agent"))
    }

    private static func estimate(
        _ usage: JSONObject, _ action: CompiledMetering.Action, _ reader: inout FieldReader
    ) -> TokenEstimate {
        guard action == .tokens else { return TokenEstimate() }
        func count(_ name: String) -> Int64 { number(usage, name, from: 0, &reader) ?? 0 }
        let isGiven = { (name: String) in usage[name].map { !$0.isNull } ?? false }
        if !countMembers.contains(where: isGiven) {
            reader.fault("usage", "no count is given; action tokens needs one")
        }
        if isGiven("cache_read"), isGiven("cached_input") {
            reader.fault("usage.cached_input", "stands beside cache_read, which is the same")
        }
        return TokenEstimate(
            input: count("input"), maxOutput: count("max_output"), output: count("output"),
            cacheRead: max(count("cache_read"), count("cached_input")), cacheWrite: count("cache_write"),
            reasoning: count("reasoning"))
    }

    private static func number(
        _ usage: JSONObject, _ name: String, from least: Int64, _ reader: inout FieldReader
    ) -> Int64? {
        guard let value = usage[name], !value.isNull else { return nil }
        guard let number = value.intValue, (least...maximumCount).contains(number) else {
            reader.fault("usage.\(name)", "not a whole number from \(least) to \(maximumCount)")
            return nil
        }
        return number
    }
}
