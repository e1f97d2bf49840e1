// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A person's session, made by a login.
package struct SessionRecord: Sendable, Hashable {
    /// What the person logged in with.
    package struct Device: Sendable, Hashable {
        package var id: String?
        package var name: String?
        package var type: String?
        package var address: String?
        package var userAgent: String?

        package init(
            id: String? = nil, name: String? = nil, type: String? = nil, address: String? = nil,
            userAgent: String? = nil
        ) {
            self.id = id
            self.name = name
            self.type = type
            self.address = address
            self.userAgent = userAgent
        }
    }

    /// The tokens of the provider. They leave the process sealed only.
    package struct Tokens: Sendable, Hashable {
        package var access: Redacted<String>
        package var refresh: Redacted<String>?
        package var accessExpiresAt: Timestamp

        package init(access: String, refresh: String?, accessExpiresAt: Timestamp) {
            self.access = Redacted(access)
            self.refresh = refresh.map { Redacted($0) }
            self.accessExpiresAt = accessExpiresAt
        }

        package func hash(into hasher: inout Hasher) { hasher.combine(accessExpiresAt) }
    }

    /// The secret that names it: 32 random bytes, base64url.
    package var id: Redacted<String>
    /// Issuer and subject say whose it is.
    package var issuer: String
    package var userID: String
    package var email: String?
    package var username: String?
    package var name: String?
    package var roles: [String]
    package var tenantID: String?
    package var realmName: String?
    package var device: Device
    package var createdAt: Timestamp
    package var lastActivity: Timestamp
    /// Its end even if it is used all the time.
    package var expiresAt: Timestamp
    package var tokens: Tokens?

    package init(
        id: String, issuer: String, userID: String, email: String? = nil, username: String? = nil, name: String? = nil,
        roles: [String] = [], tenantID: String? = nil, realmName: String? = nil, device: Device = Device(),
        createdAt: Timestamp, lastActivity: Timestamp, expiresAt: Timestamp, tokens: Tokens? = nil
    ) {
        self.id = Redacted(id)
        self.issuer = issuer
        self.userID = userID
        self.email = email
        self.username = username
        self.name = name
        self.roles = roles
        self.tenantID = tenantID
        self.realmName = realmName
        self.device = device
        self.createdAt = createdAt
        self.lastActivity = lastActivity
        self.expiresAt = expiresAt
        self.tokens = tokens
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(userID)
        hasher.combine(createdAt)
    }

    /// How it is named to its user.
    package var handle: String { SessionNames.handle(ofID: id.revealed) }

    /// What its pages send with everything that changes something.
    package var proof: String { SessionNames.proof(ofID: id.revealed) }

    /// Whether the text is its proof; takes as long whether it is or not.
    package func isProven(by text: String) -> Bool { SecretDigest(of: text).matches(SecretDigest(of: proof)) }

    /// What its user may see: neither its id nor its tokens.
    package var json: JSONObject {
        [
            "user_id": .string(userID), "email": .optional(email), "username": .optional(username),
            "name": .optional(name), "handle": .string(handle), "created_at": .string(createdAt.rfc3339),
            "last_activity": .string(lastActivity.rfc3339), "expires_at": .string(expiresAt.rfc3339),
            "device_info": [
                "device_id": .optional(device.id), "device_name": .optional(device.name),
                "device_type": .optional(device.type), "ip_address": .optional(device.address),
                "user_agent": .optional(device.userAgent),
            ],
            "roles": .strings(roles), "tenant_id": .optional(tenantID), "realm_name": .optional(realmName),
        ]
    }
}

extension SessionRecord {
    /// What is sealed: everything, tokens too.
    var sealedJSON: JSONValue {
        var object: JSONObject = [
            "user_id": .string(userID), "email": .optional(email), "username": .optional(username),
            "name": .optional(name), "session_id": .string(id.revealed), "handle": .string(handle),
            "created_at": .string(createdAt.rfc3339Micros), "last_activity": .string(lastActivity.rfc3339Micros),
            "expires_at": .string(expiresAt.rfc3339Micros),
            "device_info": [
                "device_id": .optional(device.id), "device_name": .optional(device.name),
                "device_type": .optional(device.type), "ip_address": .optional(device.address),
                "user_agent": .optional(device.userAgent),
            ],
            "roles": .strings(roles), "tenant_id": .optional(tenantID), "realm_name": .optional(realmName),
            "issuer": .string(issuer),
        ]
        if let tokens {
            object["tokens"] = [
                "access_token": .string(tokens.access.revealed),
                "refresh_token": .optional(tokens.refresh?.revealed),
                "access_expires_at": .string(tokens.accessExpiresAt.rfc3339Micros),
            ]
        }
        return .object(object)
    }

    /// Reads what was sealed; nil for anything else.
    init?(sealedJSON json: JSONValue) {
        func time(_ name: String, in json: JSONValue?) -> Timestamp? {
            json?[name]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        }
        guard let id = json["session_id"]?.stringValue, let issuer = json["issuer"]?.stringValue,
            let userID = json["user_id"]?.stringValue, let createdAt = time("created_at", in: json),
            let lastActivity = time("last_activity", in: json), let expiresAt = time("expires_at", in: json),
            let roles = json["roles"]?.arrayValue?.map(\.stringValue), !roles.contains(nil)
        else { return nil }
        let device = json["device_info"]
        var tokens: Tokens?
        if let kept = json["tokens"] {
            guard let access = kept["access_token"]?.stringValue, let end = time("access_expires_at", in: kept) else {
                return nil
            }
            tokens = Tokens(access: access, refresh: kept["refresh_token"]?.stringValue, accessExpiresAt: end)
        }
        self.init(
            id: id, issuer: issuer, userID: userID, email: json["email"]?.stringValue,
            username: json["username"]?.stringValue, name: json["name"]?.stringValue, roles: roles.compactMap { $0 },
            tenantID: json["tenant_id"]?.stringValue, realmName: json["realm_name"]?.stringValue,
            device: Device(
                id: device?["device_id"]?.stringValue, name: device?["device_name"]?.stringValue,
                type: device?["device_type"]?.stringValue, address: device?["ip_address"]?.stringValue,
                userAgent: device?["user_agent"]?.stringValue),
            createdAt: createdAt, lastActivity: lastActivity, expiresAt: expiresAt, tokens: tokens)
    }
}
