// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where an account has its webhooks sent.
package struct WebhookEndpoint: Sendable, Equatable {
    /// A secret and until when it signs; nil = until it is rotated.
    package struct ActiveSecret: Sendable, Equatable {
        package var secret: WebhookSecret
        package var until: Timestamp?

        package init(secret: WebhookSecret, until: Timestamp? = nil) {
            self.secret = secret
            self.until = until
        }
    }

    /// How many an account may have.
    package static let maximum = 20
    /// How long the secret before goes on signing after a rotation, in seconds.
    package static let overlapSeconds: Int64 = 24 * 3600

    package let id: String
    package var url: String
    /// Which types are sent; empty = all.
    package var types: [AccountEvent.Kind]
    package var description: String
    /// The current one first.
    package private(set) var secrets: [ActiveSecret]
    /// Why nothing is sent; nil = it is.
    package private(set) var disabledBecause: String?
    package let createdAt: Timestamp

    package init(
        id: String, url: String, types: [AccountEvent.Kind] = [], description: String = "", secret: WebhookSecret,
        createdAt: Timestamp
    ) {
        self.id = id
        self.url = url
        self.types = types
        self.description = description
        secrets = [ActiveSecret(secret: secret)]
        self.createdAt = createdAt
    }

    /// Whether a message of a type is sent to it.
    package func wants(_ type: String) -> Bool {
        disabledBecause == nil && (types.isEmpty || types.contains { $0.rawValue == type })
    }

    /// The secrets that sign at an instant, the current one first.
    package func signing(at now: Timestamp) -> [WebhookSecret] {
        secrets.filter { $0.until.map { now < $0 } ?? true }.map(\.secret)
    }

    /// Puts a new secret in front; the one before goes on for a day, older ones end.
    package mutating func rotate(to secret: WebhookSecret, at now: Timestamp) {
        let before = secrets.prefix(1).map {
            ActiveSecret(secret: $0.secret, until: now.adding(seconds: Self.overlapSeconds))
        }
        secrets = [ActiveSecret(secret: secret)] + before
    }

    /// Nothing is sent any more, until its owner enables it.
    package mutating func disable(because reason: String) { disabledBecause = reason }

    /// Sends again.
    package mutating func enable() { disabledBecause = nil }

    /// The document of its row, with its secrets: never shown to anybody.
    package var stored: JSONValue {
        [
            "id": .string(id), "url": .string(url), "types": .strings(types.map(\.rawValue)),
            "description": .string(description), "created_at": .int(createdAt.microseconds),
            "disabled": .optional(disabledBecause),
            "secrets": .array(
                secrets.map {
                    [
                        "secret": .string($0.secret.text.revealed),
                        "until": $0.until.map { .int($0.microseconds) } ?? .null,
                    ]
                }),
        ]
    }

    /// Reads the document of a row; nil where it is none.
    package init?(stored json: JSONValue) {
        guard let id = json["id"]?.stringValue, let url = json["url"]?.stringValue,
            let created = json["created_at"]?.intValue
        else { return nil }
        self.id = id
        self.url = url
        types = (json["types"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap(AccountEvent.Kind.init) }
        description = json["description"]?.stringValue ?? ""
        disabledBecause = json["disabled"]?.stringValue
        createdAt = Timestamp(microseconds: created)
        secrets = (json["secrets"]?.arrayValue ?? []).compactMap { entry in
            entry["secret"]?.stringValue.flatMap(WebhookSecret.init).map {
                ActiveSecret(secret: $0, until: entry["until"]?.intValue.map { Timestamp(microseconds: $0) })
            }
        }
        guard !secrets.isEmpty else { return nil }
    }

    /// What its owner sees: no secret.
    package var shown: JSONValue {
        [
            "id": .string(id), "url": .string(url), "types": .strings(types.map(\.rawValue)),
            "description": .string(description), "enabled": .bool(disabledBecause == nil),
            "disabled_reason": .optional(disabledBecause), "created_at": .string(createdAt.rfc3339),
            "previous_secret_until": secrets.dropFirst().first?.until.map { .string($0.rfc3339) } ?? .null,
        ]
    }

    /// The same with its current secret: for the answer to making or rotating it, and for no other.
    package var shownOnce: JSONValue {
        var object = shown.objectValue ?? JSONObject()
        object["secret"] = secrets.first.map { .string($0.secret.text.revealed) }
        return .object(object)
    }
}
