// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication

/// The headers that tell a workload who is calling, without any HTTP library's types: every door that sets headers sends these.
package struct IdentityHeaders: Sendable {
    /// One header: the text to send, empty where there is nothing to say.
    package struct Entry: Sendable {
        /// As documented.
        package let name: String
        package let value: String
    }

    /// Always all of them, in the order of the documentation.
    package var entries: [Entry] {
        zip(Self.names, values).map { Entry(name: $0, value: $1) }
    }
    /// The texts to send, in the order of `entries`.
    package let values: [String]
    /// How many were over 4 KiB and are sent empty.
    package let tooLong: Int

    /// A longer value is sent empty.
    private static let maximumBytes = 4096

    /// The set of a principal and of what its account has left; for an anonymous one all are empty that name somebody.
    package init(_ principal: Principal, entitlement: Entitlement? = nil) {
        guard !principal.isAnonymous else {
            guard let entitlement else {
                self = Self.anonymous
                return
            }
            self = IdentityHeaders(values: Self.anonymous.values.dropLast(2) + Self.account(entitlement))
            return
        }
        var dropped = 0
        func bounded(_ value: String) -> String {
            guard value.utf8.count > Self.maximumBytes else { return value }
            dropped += 1
            return ""
        }
        values = [
            bounded(HeaderText.encode(principal.username ?? principal.subject)),
            bounded(HeaderText.encode(principal.emailVerified ? principal.email ?? "" : "")),
            bounded(HeaderText.list(principal.groups, separator: UInt8(ascii: ","))),
            bounded(HeaderText.encode(principal.subject)),
            bounded(HeaderText.encode(principal.tenantID ?? "")),
            bounded(HeaderText.list(principal.roles, separator: UInt8(ascii: ","))),
            bounded(HeaderText.list(principal.scopes, separator: UInt8(ascii: " "))),
            bounded(HeaderText.encode(entitlement?.plan ?? "")),
            entitlement?.remainingMicroCredits.map(CreditText.credits) ?? "",
        ]
        tooLong = dropped
    }

    private static func account(_ entitlement: Entitlement) -> [String] {
        [HeaderText.encode(entitlement.plan), entitlement.remainingMicroCredits.map(CreditText.credits) ?? ""]
    }

    private init(values: [String]) {
        self.values = values
        tooLong = 0
    }

    /// The names as documented, in the order of the documentation.
    package static let names = [
        "X-Auth-Request-User", "X-Auth-Request-Email", "X-Auth-Request-Groups", "X-Tollgate-Subject",
        "X-Tollgate-Tenant", "X-Tollgate-Roles", "X-Tollgate-Scopes", "X-Tollgate-Plan", "X-Tollgate-Credits-Remaining",
    ]

    /// Every header, empty.
    package static let anonymous = IdentityHeaders(values: names.map { _ in "" })

    /// Headers that are never set in an answer and could be taken for ours: they are removed from what goes upstream.
    package static let foreign = [
        "X-Tollgate-Assertion",
        "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Preferred-Username",
        "X-Forwarded-Access-Token",
    ]

    /// What a proxy must take out of the request before it goes upstream: the header of the credential unless that is passed on, every
    /// identity header that is not set, and the foreign ones.
    package func removals(credentialHeader: String?, forwardsCredential: Bool) -> [String] {
        var names: [String] = []
        if let credentialHeader, !forwardsCredential { names.append(credentialHeader) }
        for (index, value) in values.enumerated() where value.isEmpty { names.append(Self.names[index]) }
        return names + Self.foreign
    }
}
