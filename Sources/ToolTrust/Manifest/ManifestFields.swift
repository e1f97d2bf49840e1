// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The members of a manifest, taken one by one with the rule of each.
struct ManifestFields {
    /// Every member that a manifest may have.
    static let names: [String] = [
        "tool_id", "version", "sha256_hash", "signature", "max_memory_mb", "max_cpu_seconds", "network_allowed",
        "key_id", "allowed_resources", "timeout_seconds", "max_output_bytes", "policy",
    ]

    private let members: JSONObject

    /// - Throws: `tools.invalid_manifest` for unknown members and for null.
    init(_ members: JSONObject) throws(Refusal) {
        for member in members.members {
            guard Self.names.contains(where: { $0.utf8.elementsEqual(member.name.utf8) }) else {
                throw Self.refusal(member.name, "is no member of a manifest: every member is under the signature")
            }
            if member.value.isNull { throw Self.refusal(member.name, "is null: leave it out") }
        }
        self.members = members
    }

    /// A refusal that names the member.
    static func refusal(_ field: String, _ problem: String) -> Refusal {
        let name = BoundedText.cut(field, bytes: 128)
        return Refusal(
            .toolsInvalidManifest, message: "\(name) \(problem)", details: ["field": .string(name)])
    }

    func text(
        _ name: String, _ expected: String, where accepts: (String) -> Bool
    ) throws(Refusal) -> String {
        guard let text = try optionalText(name, expected, where: accepts) else {
            throw Self.refusal(name, "is missing: write \(expected)")
        }
        return text
    }

    func optionalText(
        _ name: String, _ expected: String, where accepts: (String) -> Bool
    ) throws(Refusal) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.stringValue else {
            throw Self.refusal(name, "is a \(value.kindName): write \(expected) as text")
        }
        guard accepts(text) else { throw Self.refusal(name, "is not what is expected: write \(expected)") }
        return text
    }

    func integer(_ name: String) throws(Refusal) -> Int64 {
        guard let number = try optionalInteger(name) else {
            throw Self.refusal(name, "is missing: write an integer of at least 1")
        }
        return number
    }

    func optionalInteger(_ name: String) throws(Refusal) -> Int64? {
        guard let value = members[name] else { return nil }
        guard let number = value.intValue, (1...CanonicalJSON.largestInteger).contains(number) else {
            throw Self.refusal(name, "is not what is expected: write an integer from 1 to 2^53 − 1 as digits only")
        }
        return number
    }

    func boolean(_ name: String) throws(Refusal) -> Bool {
        guard let value = members[name] else { throw Self.refusal(name, "is missing: write true or false") }
        guard let flag = value.boolValue else {
            throw Self.refusal(name, "is a \(value.kindName): write true or false")
        }
        return flag
    }

    func resources(networkAllowed: Bool) throws(Refusal) -> [ToolResource] {
        let name = "allowed_resources"
        guard let value = members[name] else { return [] }
        guard let elements = value.arrayValue else {
            throw Self.refusal(name, "is a \(value.kindName): write a list of texts")
        }
        guard elements.count <= 64 else {
            throw Self.refusal(name, "has \(elements.count) entries: at most 64 are taken")
        }
        var resources: [ToolResource] = []
        for (index, element) in elements.enumerated() {
            guard let text = element.stringValue, let resource = ToolResource(text) else {
                throw Self.refusal(
                    name,
                    "entry \(index) is neither an absolute path without empty, . or .. segments nor host:port")
            }
            if case .endpoint = resource, !networkAllowed {
                throw Self.refusal(name, "entry \(index) is host:port: that needs network_allowed true")
            }
            resources.append(resource)
        }
        return resources
    }

    /// `[a-z0-9][a-z0-9._-]{0,127}` and none of the names that paths of the API have.
    static func isToolID(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count), let first = text.utf8.first, isLowerAlphanumeric(first) else {
            return false
        }
        let isPlain = text.utf8.allSatisfy { byte in
            isLowerAlphanumeric(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
        return isPlain && !["manifests", "register", "approvals"].contains(text)
    }

    static func isHash(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
