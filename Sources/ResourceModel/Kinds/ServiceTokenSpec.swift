// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// `spec` of a ServiceToken: a token that is kept in a Secret.
package struct ServiceTokenSpec: ResourceSpec {
    package static let kind = ResourceKind.serviceToken

    /// When the token is replaced.
    package struct Rotation: Sendable, Hashable, Codable {
        package var every: TextDuration
        package var overlap: TextDuration
    }

    package var secretName: String
    package var secretKey: String
    package var description: String?
    package var tenant: String?
    package var scopes: [String]
    package var roles: [String]
    package var workspaceIds: [String]
    package var allowedCidrs: [String]
    package var platform: Bool
    package var expiresIn: TextDuration?
    package var expiresAt: TextInstant?
    package var rotation: Rotation?
    package var revoked: Bool
    package var revocationReason: String?

    private static func texts(_ description: String, _ pattern: TextPattern? = nil, rules: [Rule] = []) -> Property {
        let name = description.prefix { $0 != ":" }
        return Property(
            String(name),
            .set(
                String(description.dropFirst(name.count + 2)),
                of: .text(min: 1, max: 256, pattern: pattern, rules: rules), max: 256
            ).defaulting(to: []))
    }

    package static let schema = Schema.object(
        "A token in a Secret.",
        [
            Property(
                "secretName",
                .text("The Secret that the token is written to.", min: 1, max: 253, pattern: .dnsSubdomain)
                    .with(Transition.immutable), required: true),
            Property(
                "secretKey",
                .text("The key in that Secret.", max: 253, pattern: .dataKey).defaulting(to: "token")),
            Property("description", .text("What the token is for.", max: 256)),
            Property("tenant", .text("Its tenant. Without it that of the namespace.", min: 1, max: 256)),
            texts("scopes: What the token may be used for.", .scope),
            texts("roles: Roles of its bearer."),
            texts("workspaceIds: Workspaces that it reaches."),
            texts(
                "allowedCidrs: Addresses it may be used from. Empty: any.",
                rules: [
                    Rule(nil, "is no address or block; write one such as 10.0.0.0/8") {
                        $0.stringValue.flatMap { CIDR($0) } != nil
                    }
                ]),
            Property(
                "platform",
                .boolean("Whether its bearer may be a platform administrator. Platform namespaces only.")
                    .defaulting(to: false)),
            Property("expiresIn", .duration("How long each text is good.", from: "60s", to: "87600h")),
            Property("expiresAt", .instant("When it ends.")),
            Property("rotation", rotation),
            Property("revoked", .boolean("Whether it is revoked, for good.").defaulting(to: false)),
            Property("revocationReason", .text("Why.", max: 256)),
        ],
        rules: [
            Rule(
                "!(has(self.expiresIn) && has(self.expiresAt))", "cannot stand beside expiresAt; keep one",
                at: "expiresIn"
            ) {
                $0["expiresIn"] == nil || $0["expiresAt"] == nil
            },
            Rule(
                "!has(self.rotation) || !has(self.expiresIn) || "
                    + "duration(self.rotation.every) < duration(self.expiresIn)",
                "must be longer than rotation.every", at: "expiresIn"
            ) { value in
                guard let every = length(value["rotation"]?["every"]), let end = length(value["expiresIn"]) else {
                    return true
                }
                return every < end
            },
        ],
        transitions: [
            Transition(
                "has(oldSelf.tenant) == has(self.tenant) && (!has(self.tenant) || self.tenant == oldSelf.tenant)",
                "cannot be changed; make another object instead", at: "tenant"
            ) { $0["tenant"] == $1["tenant"] },
            Transition("!oldSelf.revoked || self.revoked", "cannot be taken back; make another object", at: "revoked") {
                $0["revoked"] != true || $1["revoked"] == true
            },
        ])

    private static let rotation = Schema.object(
        "When the token is replaced by a new one.",
        [
            Property("every", .duration("How often.", from: "1h", to: "87600h"), required: true),
            Property(
                "overlap",
                .duration("How long the old one stays good.", from: "0s", to: "168h")
                    .defaulting(to: "5m")),
        ],
        rules: [
            Rule("duration(self.overlap) < duration(self.every)", "must be shorter than every", at: "overlap") {
                guard let overlap = length($0["overlap"]), let every = length($0["every"]) else { return true }
                return overlap < every
            }
        ])

    private static func length(_ value: JSONValue?) -> Duration? {
        value?.stringValue.flatMap { DurationText.parse($0) }
    }
}
