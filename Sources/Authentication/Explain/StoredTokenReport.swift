// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What explanations need to know of a stored token or key once its secret was proved.
struct StoredTokenFacts: Sendable, Hashable {
    var identifier: String
    /// The identifier of the first token of the rotation chain.
    var family: String
    var tenant: String?
    /// The account of a key, whose plan limits it.
    var account: String?
    var isSuspended = false
    var expiresAt: Timestamp?
    var revokedAt: Timestamp?
    var rotatedTo: String?
    var allowedCIDRs: [String]
}

/// Explains a token of the store, in the order in which it is checked.
struct StoredTokenReport: Sendable {
    let kind: TokenText.Kind
    let now: Timestamp
    /// The client's address; nil = unknown.
    let address: IPAddress?

    private var noun: String { kind == .apiKey ? "API key" : "service token" }
    private var command: String { kind == .apiKey ? "tollgate key" : "tollgate token" }

    /// It begins like a stored token and is none.
    func malformed() -> Explanation {
        var result = Explanation(
            .asker, "the text begins like \(article) and has another shape, or its checksum is wrong")
        result.mend(.asker, "Send the \(noun) as it was shown when it was made: a part of it is missing or changed.")
        return result
    }

    /// The AuthConfig does not take this kind.
    func switchedOff() -> Explanation {
        let field = kind == .apiKey ? "apiKeys" : "serviceTokens"
        var result = Explanation(.host, "this AuthConfig takes no \(noun)s (spec.\(field): false)")
        result.mend(.host, "Set spec.\(field) of the AuthConfig to true, or send a credential of another kind.")
        return result
    }

    /// The store was not heard of for too long.
    func stale() -> Explanation {
        var result = Explanation(
            .installation, "the token store was not heard of for \(ServiceTokenTable.freshForSeconds) s")
        result.mend(.installation, "See why the token store cannot be read: /readyz?verbose and the log name it.")
        return result
    }

    /// No record has that id, or another secret belongs to it. Which of the two is said to nobody.
    func unproved(id: String) -> Explanation {
        var result = Explanation(.asker, "id \(id): there is no such \(noun), or its secret is another one")
        result.mend(.asker, "Check which installation the \(noun) is from; make another one with `\(command) create`.")
        return result
    }

    /// A proved token: what it is, and the first thing that speaks against it.
    func proved(_ facts: StoredTokenFacts) -> Explanation {
        var result = Explanation(.caller, "id \(facts.identifier), family \(facts.family)")
        if let tenant = facts.tenant { result.say(.caller, "tenant \(CredentialReport.shown(tenant))") }
        if let account = facts.account { result.say(.caller, "account \(CredentialReport.shown(account))") }
        if let revokedAt = facts.revokedAt {
            result.say(.caller, "revoked at \(revokedAt.rfc3339)")
            result.mend(.caller, "Use another \(noun): `\(command) create` makes one. A revoked one stays revoked.")
            return result
        }
        if let expiresAt = facts.expiresAt {
            result.say(
                .caller, "\(now >= expiresAt ? "expired" : "expires") at \(expiresAt.rfc3339), now \(now.rfc3339)")
            if now >= expiresAt {
                let next = facts.rotatedTo.map { " It was rotated to \($0): use that one." } ?? ""
                result.mend(.caller, "Make another \(noun) with `\(command) create`.\(next)")
                return result
            }
        }
        if facts.isSuspended {
            result.say(.caller, "its account is suspended")
            result.mend(.caller, "Have the suspension lifted: spec.suspended of the account's Subscription.")
            return result
        }
        if let rotatedTo = facts.rotatedTo { result.say(.caller, "rotated to \(rotatedTo), still in its overlap") }
        if !facts.allowedCIDRs.isEmpty { addresses(facts.allowedCIDRs, &result) }
        return result
    }

    private func addresses(_ blocks: [String], _ result: inout Explanation) {
        let isAllowed = address.map { address in blocks.contains { CIDR($0)?.contains(address) ?? false } } ?? false
        let client = address.map { "client address \($0)" } ?? "the client's address is not known"
        result.say(
            .caller, "\(client) is \(isAllowed ? "" : "not ")in allowed_cidrs: \(CredentialReport.list(blocks))")
        guard !isAllowed else { return }
        result.mend(
            .caller,
            address == nil
                ? "Say the client's address (request.source_ip, --source-ip): the \(noun) is only good for some."
                : "Call from one of these addresses, or add the address to allowed_cidrs of the \(noun).")
    }

    private var article: String { kind == .apiKey ? "an API key" : "a service token" }
}
