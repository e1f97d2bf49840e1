// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The parts of an AuthConfig that say what is allowed and what it costs.
enum PolicySchema {
    static let policy = Schema.object(
        "What callers may do.",
        [
            Property(
                "routes",
                .list("Own routes, searched before the built-in ones; the first match wins.", of: route, max: 512)
                    .defaulting(to: [])),
            Property(
                "builtinRoutes", .boolean("Whether the built-in routes are searched too.").defaulting(to: true)),
            Property(
                "scopes",
                .choice("Whether scopes narrow what roles give.", AuthConfigSpec.Scopes.allCases.map(\.rawValue))
                    .defaulting(to: "ignore")),
            Property(
                "ownership",
                .choice(
                    "Whether the owner check applies to every route.", AuthConfigSpec.Ownership.allCases.map(\.rawValue)
                ).defaulting(to: "default")),
            Property(
                "rules",
                .list("Conditions that narrow what is allowed.", of: rule, max: 64, key: "name").defaulting(to: [])),
        ])

    private static let route = Schema.object(
        nil,
        [
            Property(
                "methods", .set("Methods, or \"*\".", of: .text(max: 32, pattern: .method), min: 1, max: 16),
                required: true),
            Property(
                "path",
                .text(
                    "Segments: literal, {name}, and /** at the end.", min: 1, max: 4096, pattern: .path,
                    rules: [doubleStar, captureNames]), required: true),
            Property("permission", .text("The permission that is needed.", min: 1, max: 256)),
            Property("public", .boolean("Whether everybody may call it.")),
            Property("authenticated", .boolean("Whether every known caller may call it.")),
            Property("metering", metering),
            Property("type", .text("The resource type.", min: 1, max: 128)),
            Property("platform", .boolean("Whether only platform principals may call it.")),
            Property("ownership", .choice("Whether the owner check applies.", ["required"])),
            Property("signed", .boolean("Whether the handler verifies a signature.")),
            Property("audit", .text("Name of the action in the audit.", min: 1, max: 128)),
        ],
        rules: [
            Rule(
                "[has(self.permission), has(self.public) && self.public, "
                    + "has(self.authenticated) && self.authenticated].exists_one(x, x)",
                "needs exactly one of permission, public: true and authenticated: true"
            ) { value in
                (value["permission"] == nil ? 0 : 1) + (value["public"] == true ? 1 : 0)
                    + (value["authenticated"] == true ? 1 : 0) == 1
            },
            Rule(
                "!(has(self.metering) && has(self.public) && self.public)", "cannot be metered: the route is public",
                at: "metering"
            ) { $0["metering"] == nil || $0["public"] != true },
        ])

    private static let doubleStar = Rule(
        "!self.contains('**') || self.indexOf('**') == self.size() - 2 && self.endsWith('/**')",
        "has ** elsewhere than as its last segment; write it as /** at the end"
    ) { value in
        guard let path = value.stringValue, path.contains("**") else { return true }
        return path.hasSuffix("/**") && !path.dropLast().contains("**")
    }

    private static let captureNames = Rule(
        nil, "has a {name} that is empty, incomplete or there twice; write each as a whole segment with its own name"
    ) { value in
        var seen: Set<Substring> = []
        for segment in (value.stringValue ?? "").split(separator: "/")
        where segment.contains(where: { "{}".contains($0) }) {
            let name = segment.dropFirst().dropLast()
            guard segment.first == "{", segment.last == "}", !name.isEmpty,
                !name.contains(where: { "{}".contains($0) }),
                seen.insert(name).inserted
            else { return false }
        }
        return true
    }

    private static let rule = Schema.object(
        nil,
        [
            Property("name", .text("Name of the rule.", min: 1, max: 128), required: true),
            Property("effect", .choice("What it does.", ["allow", "deny"]), required: true),
            Property("when", .list("Conditions that must all hold.", of: condition, min: 1, max: 16), required: true),
        ])

    private static let condition = Schema.object(
        nil,
        [
            Property("attribute", .text("What is looked at.", max: 512, pattern: .ruleAttribute), required: true),
            Property(
                "operator",
                .choice(
                    "How it is compared.",
                    ["eq", "neq", "in", "notIn", "prefix", "matches", "exists", "gt", "lt", "cidr"]), required: true),
            Property("value", .anything("What it is compared with.")),
            Property("values", .list("What it is compared with.", of: .anything(), min: 1, max: 64)),
        ],
        rules: [
            Rule(nil, "needs values (and no value) with in, notIn and cidr, else value (and no values)") { value in
                let wantsList = ["in", "notIn", "cidr"].contains(value["operator"]?.stringValue)
                return (value["values"] != nil) == wantsList && (value["value"] != nil) != wantsList
            },
            Rule(nil, "must be true or false with exists", at: "value") {
                $0["operator"] != "exists" || $0["value"]?.boolValue != nil
            },
            Rule(nil, "must be a text with prefix and matches, of at most 256 characters with matches", at: "value") {
                guard ["prefix", "matches"].contains($0["operator"]?.stringValue) else { return true }
                guard let text = $0["value"]?.stringValue else { return false }
                return $0["operator"] == "prefix" || text.unicodeScalars.count <= 256
            },
            Rule(nil, "must be address blocks such as 10.0.0.0/8", at: "values") {
                guard $0["operator"] == "cidr" else { return true }
                return ($0["values"]?.arrayValue ?? []).allSatisfy { $0.stringValue.flatMap { CIDR($0) } != nil }
            },
        ])

    static func rate(_ description: String) -> Schema {
        .object(description, ["minute", "hour", "day"].map { Property($0, .integer(min: 0, max: 1 << 53)) })
    }

    static let metering = Schema.object(
        "What a request costs its account.",
        [
            Property(
                "action",
                .choice("What is asked and reserved.", Metering.Action.allCases.map(\.rawValue))
                    .defaulting(to: "none")),
            Property("model", .text("The model of action tokens.", min: 1, max: 256)),
            Property("slot", .choice("The kind of place of action slot.", ["worker", "workspace"])),
            Property(
                "requires",
                .object(
                    "What the account's plan must have.",
                    [
                        Property("plan", .text(max: 63, pattern: .planName)),
                        Property("modelTier", .text(min: 1, max: 63)),
                        Property("premiumAgents", .boolean()),
                    ])),
            Property(
                "estimate",
                .object(
                    "Tokens that are reserved.",
                    [
                        Property("input", .integer(min: 0, max: 1 << 53)),
                        Property("maxOutput", .integer(min: 0, max: 1 << 53)),
                    ])),
            Property(
                "microCreditsPerRequest", .integer("Charged at the decision.", min: 0, max: 1 << 53).defaulting(to: 0)),
        ],
        rules: [
            // The API server asks this about the default value {} too, before the members have their defaults.
            Rule(
                "!has(self.action) || self.action != 'tokens' || has(self.model)",
                "is missing; action tokens needs it", at: "model"
            ) { $0["action"] != "tokens" || $0["model"] != nil },
            Rule(
                "!has(self.action) || self.action != 'slot' || has(self.slot)", "is missing; action slot needs it",
                at: "slot"
            ) { $0["action"] != "slot" || $0["slot"] != nil },
        ])
}
