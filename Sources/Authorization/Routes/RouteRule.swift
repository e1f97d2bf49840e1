// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One rule of a route table: which methods and paths it covers and what it asks of the caller.
package final class RouteRule: Sendable {
    /// What the rule asks.
    package enum Access: Sendable, Hashable {
        /// Nothing.
        case open
        /// Any known principal; neither roles nor scopes are looked at.
        case authenticated
        case permission(String)
    }

    /// Place in its list, from 0.
    package let index: Int
    /// As written; `*` is every method but OPTIONS, TRACE and CONNECT.
    package let methods: [String]
    /// The pattern as written.
    package let path: String
    package let access: Access
    /// The resource's type where no capture and nobody states it.
    package let type: String?
    /// Whether the caller must come from a platform identity source.
    package let platform: Bool
    /// Whether the owner check applies whatever the action.
    package let ownershipRequired: Bool
    /// Whose signature the handler of a public rule verifies.
    package let signed: String?
    /// Name of the action in the audit, when the rule says it.
    package let audit: String?
    /// Whether the rule says itself what its requests cost; that is read by whoever meters.
    package let isMetered: Bool

    package init(
        index: Int, methods: [String], path: String, access: Access, type: String? = nil, platform: Bool = false,
        ownershipRequired: Bool = false, signed: String? = nil, audit: String? = nil,
        isMetered: Bool = false
    ) {
        self.index = index
        self.methods = methods
        self.path = path
        self.access = access
        self.type = type
        self.platform = platform
        self.ownershipRequired = ownershipRequired
        self.signed = signed
        self.audit = audit
        self.isMetered = isMetered
    }

    package var isPublic: Bool { access == .open }
    package var isAuthenticatedOnly: Bool { access == .authenticated }

    /// The permission it asks for; nil for a public rule and for `authenticated: true`.
    package var permission: String? {
        if case .permission(let name) = access { return name }
        return nil
    }

    /// Name of the action in the audit of Tollgate's own API: the rule's, else the permission with `.` for `:`, else `http.public` or `http.authenticated`.
    package var auditAction: String {
        if let audit { return audit }
        switch access {
        case .open: return "http.public"
        case .authenticated: return "http.authenticated"
        case .permission(let name):
            return String(decoding: name.utf8.map { $0 == UInt8(ascii: ":") ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
        }
    }
}

/// The rule that covers a request and what its pattern captured.
package struct RouteMatch: Sendable {
    package let rule: RouteRule
    /// `METHOD /pattern`.
    package let display: String
    /// What `{id}`, `{tenant}`, `{project}`, `{user}` (owner) and `{type}` captured.
    package let captures: ResourceAttributes

    package init(rule: RouteRule, display: String, captures: ResourceAttributes) {
        self.rule = rule
        self.display = display
        self.captures = captures
    }
}
