// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import ResourceModel

/// The forms that the status of a ServiceToken takes.
enum TokenStatus {
    /// The object as it is written is refused, and there is no last good one.
    static func invalid(_ problems: [String], members: JSONObject) -> ObjectStatus {
        var conditions = Conditions()
        conditions.set("Invalid", .true, "InvalidSpec", problems.joined(separator: "; "))
        return ObjectStatus(conditions: conditions, members: members)
    }

    /// The object is not in force, or not as it says.
    static func failed(_ reason: String, _ message: String, members: JSONObject) -> ObjectStatus {
        var conditions = Conditions()
        conditions.set("Ready", .false, reason, message)
        return ObjectStatus(conditions: conditions, members: members)
    }

    /// Its time is over.
    static func expired(members: JSONObject) -> ObjectStatus {
        var status = failed("Expired", "its end is over; give it another end or spec.rotation", members: members)
        status.conditions.set("Expired", .true, "Expired")
        return status
    }

    /// What status says of the token that the object has.
    static func members(
        _ record: ServiceTokenRecord, previous: ServiceTokenRecord?, spec: ServiceTokenSpec, wish: String?
    ) -> JSONObject {
        let next = spec.rotation.map { record.issuedAt.adding(seconds: $0.every.seconds) }
        return [
            "identifier": .string(record.identifier), "family": .string(record.family),
            "issuedAt": .string(record.issuedAt.rfc3339), "expiresAt": .optional(record.expiresAt?.rfc3339),
            "nextRotationAt": .optional(next?.rfc3339), "previousIdentifier": .optional(record.rotatedFrom),
            "previousValidUntil": .optional(previous?.rotationExpiresAt?.rfc3339), "revokedAt": .null,
            "secretName": .string(spec.secretName), "secretKey": .string(spec.secretKey),
            "rotateAnnotation": .optional(wish),
        ]
    }

    /// What status said of the token, without what is worked out anew.
    static func kept(_ earlier: JSONValue?) -> JSONObject {
        var members = earlier?.objectValue ?? [:]
        members["conditions"] = nil
        members["observedGeneration"] = nil
        return members
    }

    /// A Secret cannot be written: the reason travels as the message.
    static func unwritable(_ reason: String) -> Refusal {
        Refusal(.decisionInternal, message: "the Secret cannot be written: \(reason)")
    }

    /// The word of the condition for a fault of a pass.
    static func reason(of refusal: Refusal) -> String {
        switch refusal.code {
        case .authStoreUnavailable: "StoreUnavailable"
        case .auditUnavailable: "AuditUnavailable"
        case .decisionInternal: "SecretUnwritable"
        default: "TokenNotUsable"
        }
    }
}

extension TokenSecret {
    /// The Secret that an object names.
    init(_ object: ServiceToken, identifier: String, expiresAt: Timestamp?) {
        self.init(
            namespace: object.metadata.namespace, name: object.spec.secretName, key: object.spec.secretKey,
            identifier: identifier, expiresAt: expiresAt,
            owner: object.metadata.uid.map { Owner(name: object.metadata.name, uid: $0) })
    }
}
