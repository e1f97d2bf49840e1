// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What the status of each kind looks like. Only Tollgate writes it, so it is described, not validated here.
enum StatusSchema {
    static func schema(_ kind: ResourceKind) -> Schema {
        .object("What Tollgate found.", common + own(kind))
    }

    private static let common = [
        Property("observedGeneration", .integer()),
        Property(
            "conditions",
            .list(
                nil,
                of: .object(
                    nil,
                    [
                        Property("type", .text(min: 1, max: 316), required: true),
                        Property("status", .choice(nil, ["True", "False", "Unknown"]), required: true),
                        Property("reason", .text(max: 1024)),
                        Property("message", .text(max: 1024)),
                        Property("lastTransitionTime", .instant()),
                        Property("observedGeneration", .integer()),
                    ]), max: 32, key: "type")),
    ]

    private static func texts(_ names: String...) -> [Property] { names.map { Property($0, .text(max: 1024)) } }
    private static func instants(_ names: String...) -> [Property] { names.map { Property($0, .instant()) } }
    private static func integers(_ names: String...) -> [Property] { names.map { Property($0, .integer()) } }

    private static func own(_ kind: ResourceKind) -> [Property] {
        switch kind {
        case .authConfig:
            [
                Property(
                    "hosts",
                    .list(
                        nil,
                        of: .object(
                            nil,
                            [
                                Property("host", .text(max: 253), required: true),
                                Property(
                                    "state", .choice(nil, ["linked", "conflicted", "notAllowed", "invalid"]),
                                    required: true),
                                Property("heldBy", .text(max: 512)),
                            ]), max: 64, key: "host"))
            ] + texts("linked") + integers("snapshot")
        case .serviceToken:
            texts("identifier", "family", "previousIdentifier", "secretName", "secretKey", "rotateAnnotation")
                + instants("issuedAt", "expiresAt", "nextRotationAt", "previousValidUntil", "revokedAt")
        case .subscription:
            texts("state", "reason", "plan", "boughtPlan")
                + instants("periodStart", "periodEnd", "pastDueSince", "graceEndsAt")
                + [Property("cancelAtPeriodEnd", .boolean())]
                + integers("creditsGranted", "creditsUsed", "creditsHeld", "creditsRemaining")
                + [
                    Property("slotsUsed", .object(nil, integers("agents", "workers", "workspaces"))),
                    Property("lastStripeEvent", .object(nil, texts("id", "type") + instants("created"))),
                ]
        case .toolManifest: texts("toolId", "version", "keyId", "sha256") + instants("lastVerifiedTime")
        case .secret, .configMap: []
        }
    }
}
