// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A key that may sign manifests, as settings and Secrets give it.
package struct ToolKeyRecord: Sendable, Hashable {
    package var keyID: String
    package var publicKey: Ed25519PublicKey
    package var notBefore: Timestamp?
    package var expiresAt: Timestamp?
    package var revokedAt: Timestamp?
    /// A time that nobody can read: the key is not used at all.
    package var unreadableTime: String?

    /// Takes the parts.
    package init(
        keyID: String, publicKey: Ed25519PublicKey, notBefore: Timestamp? = nil, expiresAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil
    ) {
        self.keyID = keyID
        self.publicKey = publicKey
        self.notBefore = notBefore
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }

    /// Why a text is no record.
    package struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    /// Reads one record.
    ///
    /// - Parameter name: the id that the place of the record gives it; `key_id` may then be left out and must not differ.
    package init(_ value: JSONValue, named name: String? = nil) throws(Fault) {
        guard let members = value.objectValue else { throw Fault("a key is a \(value.kindName): write an object") }
        let known = ["key_id", "public_key", "not_before", "expires_at", "revoked_at"]
        if let unknown = members.names.first(where: { !known.contains($0) }) {
            throw Fault(
                "\(BoundedText.cut(unknown, bytes: 64)) is no member of a key: only \(known.joined(separator: ", "))")
        }
        let stated = members["key_id"]
        guard let id = stated == nil ? name : stated?.stringValue, Self.isKeyID(id) else {
            throw Fault("key_id is missing or not [A-Za-z0-9._-]{1,64}")
        }
        guard name == nil || name == id else {
            throw Fault("key_id is not the name under which the key stands: write one")
        }
        guard let bytes = members["public_key"]?.stringValue.flatMap(PaddedBase64.decode), bytes.count == 32 else {
            throw Fault("public_key of \(id) is missing or not 32 bytes as padded base64")
        }
        guard let key = Ed25519PublicKey(bytes) else {
            throw Fault("public_key of \(id) is a point of small order or not in its only form: make another key")
        }
        keyID = id
        publicKey = key
        (notBefore, expiresAt, revokedAt) = (nil, nil, nil)
        notBefore = time("not_before", members)
        expiresAt = time("expires_at", members)
        revokedAt = time("revoked_at", members)
    }

    /// Reads the text of one record that stands under a name.
    package init(text: [UInt8], named name: String) throws(Fault) {
        let value: JSONValue
        do {
            value = try CanonicalJSON.parse(text)
        } catch {
            throw Fault("it is no JSON (\(error)): write an object with public_key")
        }
        self = try ToolKeyRecord(value, named: name)
    }

    /// Reads a list of records, or a single one.
    ///
    /// - Throws: `Fault` naming the first entry that is none.
    package static func list(_ bytes: [UInt8]) throws(Fault) -> [ToolKeyRecord] {
        let value: JSONValue
        do {
            value = try CanonicalJSON.parse(bytes)
        } catch {
            throw Fault("it is no JSON (\(error)): write a list of keys")
        }
        guard let elements = value.arrayValue ?? value.objectValue.map({ [.object($0)] }) else {
            throw Fault("it is a \(value.kindName): write a list of keys")
        }
        guard elements.count <= TrustedToolKeys.most else {
            throw Fault("\(elements.count) keys: at most \(TrustedToolKeys.most) are taken")
        }
        var records: [ToolKeyRecord] = []
        for element in elements { records.append(try ToolKeyRecord(element)) }
        return records
    }

    /// `[A-Za-z0-9._-]{1,64}`
    package static func isKeyID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }

    /// The record as text, for whoever trusts the key.
    package var json: JSONValue {
        ["key_id": .string(keyID), "public_key": .string(PaddedBase64.encode(publicKey.bytes))]
    }

    private mutating func time(_ name: String, _ members: JSONObject) -> Timestamp? {
        guard let value = members[name] else { return nil }
        guard let time = value.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else {
            unreadableTime = unreadableTime ?? name
            return nil
        }
        return time
    }
}
