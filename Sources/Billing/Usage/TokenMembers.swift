// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads counts of tokens by the names that gateways and workers give them: `input_tokens`, `input`, `inputTokens`, `cache.read`,
/// `cache_read_tokens`, an object `cache` with `read` and `write`, and an object `tokens` that holds any of these.
struct TokenMembers {
    /// A class of tokens.
    private enum Class {
        case input, output, cacheRead, cacheWrite, reasoning, maxOutput
    }

    /// Why counts cannot be used.
    struct Fault {
        var code: ErrorCode
        /// The member as it was named.
        var field: String
    }

    private var input: Int64?
    private var output: Int64?
    private var cacheRead: Int64?
    private var cacheWrite: Int64?
    private var reasoning: Int64?
    /// Most tokens that may come back; nil where it was not said.
    private(set) var maxOutput: Int64?
    private(set) var fault: Fault?
    /// Whether any class was given, zero or not.
    private(set) var isAnyGiven = false
    /// Names of members that are no counts of tokens, where they are asked for.
    private(set) var others: [String] = []
    private let readsMaxOutput: Bool
    private let listsOthers: Bool

    /// Reads the members of an object; what is no class of tokens is passed over.
    ///
    /// - Parameters:
    ///   - readsMaxOutput: whether `max_output` is a class too: only where something is estimated.
    ///   - listsOthers: whether `others` is wanted.
    init(_ object: JSONObject, readsMaxOutput: Bool = false, listsOthers: Bool = false) {
        self.readsMaxOutput = readsMaxOutput
        self.listsOthers = listsOthers
        read(object, path: "", isTop: true)
    }

    /// The five classes.
    var tokens: TokenCounts {
        TokenCounts(
            input: input ?? 0, output: output ?? 0, cacheRead: cacheRead ?? 0, cacheWrite: cacheWrite ?? 0,
            reasoning: reasoning ?? 0)
    }

    private subscript(name: Class) -> Int64? {
        get {
            switch name {
            case .input: input
            case .output: output
            case .cacheRead: cacheRead
            case .cacheWrite: cacheWrite
            case .reasoning: reasoning
            case .maxOutput: maxOutput
            }
        }
        set {
            switch name {
            case .input: input = newValue
            case .output: output = newValue
            case .cacheRead: cacheRead = newValue
            case .cacheWrite: cacheWrite = newValue
            case .reasoning: reasoning = newValue
            case .maxOutput: maxOutput = newValue
            }
        }
    }

    private mutating func read(_ object: JSONObject, path: String, isTop: Bool) {
        for member in object.members {
            if let found = Self.kind(of: member.name), found != .maxOutput || readsMaxOutput {
                take(member.value, found, path.isEmpty ? member.name : path + member.name)
            } else if case .object(let inner) = member.value, isTop, member.name == "tokens" {
                read(inner, path: "tokens.", isTop: false)
            } else if case .object(let inner) = member.value, member.name == "cache" {
                readCache(inner, path: "\(path)cache.")
            } else if isTop, listsOthers {
                others.append(member.name)
            }
        }
    }

    private mutating func readCache(_ object: JSONObject, path: String) {
        for member in object.members {
            switch member.name {
            case "read": take(member.value, .cacheRead, path + member.name)
            case "write": take(member.value, .cacheWrite, path + member.name)
            default: break
            }
        }
    }

    private mutating func take(_ value: JSONValue, _ name: Class, _ field: String) {
        if value.isNull { return }
        isAnyGiven = true
        guard let count = value.intValue, (0...TokenCounts.maximum).contains(count) else {
            if fault == nil { fault = Fault(code: .usageBadCount, field: field) }
            return
        }
        if let other = self[name], other != count {
            if fault == nil { fault = Fault(code: .usageInconsistentCounts, field: field) }
        }
        self[name] = count
    }

    /// The class that a name means, without its letter case, separators and the word `tokens`.
    private static func kind(of name: String) -> Class? {
        switch name {
        case "input_tokens": return .input
        case "output_tokens": return .output
        case "model", "provider", "user", "project", "agent", "session", "task", "reservation": return nil
        default: break
        }
        guard name.utf8.count <= 32 else { return nil }
        var plain: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): continue
            case 0x41...0x5A: plain.append(byte | 0x20)
            default: plain.append(byte)
            }
        }
        var text = Substring(decoding: plain, as: UTF8.self)
        if text.hasSuffix("tokens") { text = text.dropLast(6) }
        switch text {
        case "input": return .input
        case "output": return .output
        case "cacheread", "cachereadinput": return .cacheRead
        case "cachewrite", "cachewriteinput", "cachecreation", "cachecreationinput": return .cacheWrite
        case "reasoning": return .reasoning
        case "maxoutput": return .maxOutput
        default: return nil
        }
    }
}
