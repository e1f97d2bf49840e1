// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// A manifest of sound shape: what it says, and the bytes under its signature. Whether anybody trusts it is another question.
package struct ToolManifest: Sendable, Hashable {
    /// Bytes that a manifest may have at the most.
    package static let largestSize = 65_536

    package var toolID: String
    package var version: SemanticVersion
    /// SHA-256 of the executable, 64 lower-case hex digits.
    package var sha256: String
    /// Ed25519, 64 bytes.
    package var signature: [UInt8]
    package var memoryMB: Int64
    package var cpuSeconds: Int64
    package var networkAllowed: Bool
    package var keyID: String?
    package var resources: [ToolResource]
    package var timeoutSeconds: Int64?
    package var outputBytes: Int64?
    package var policy: ToolPolicy
    /// The signed bytes: the canonical form of the document without its signature.
    package var canonical: [UInt8]

    /// Reads the text of a manifest.
    ///
    /// - Throws: `tools.invalid_manifest` with `details.field`.
    package static func read(_ bytes: [UInt8]) throws(Refusal) -> ToolManifest {
        try ToolManifest(document: document(bytes))
    }

    /// Reads the text of a manifest as far as it is a JSON document with unique member names.
    ///
    /// - Throws: `tools.invalid_manifest` with `details.field`.
    package static func document(_ bytes: [UInt8]) throws(Refusal) -> JSONValue {
        guard bytes.count <= largestSize else {
            throw ManifestFields.refusal("manifest", "has \(bytes.count) bytes: at most \(largestSize) are taken")
        }
        do {
            return try CanonicalJSON.parse(bytes)
        } catch {
            if error.code == .duplicateMember, let name = doubledName(bytes, at: error.offset) {
                throw ManifestFields.refusal(name, "is there twice: write every member once")
            }
            throw ManifestFields.refusal("manifest", "is no JSON document in UTF-8 (\(error))")
        }
    }

    /// Reads a document. Where it did not come from `document(_:)`, whoever parsed it refused doubled names.
    ///
    /// - Throws: `tools.invalid_manifest` with `details.field`.
    package init(document: JSONValue) throws(Refusal) {
        guard var members = document.objectValue else {
            throw ManifestFields.refusal("manifest", "is a \(document.kindName): write an object")
        }
        guard document.encoded().count <= Self.largestSize else {
            throw ManifestFields.refusal("manifest", "has more than \(Self.largestSize) bytes")
        }
        let fields = try ManifestFields(members)
        toolID = try fields.text("tool_id", "[a-z0-9][a-z0-9._-]{0,127}, not manifests, register, approvals") {
            ManifestFields.isToolID($0)
        }
        let versionText = try fields.text("version", "SemVer 2.0.0 of at most 64 bytes") { SemanticVersion($0) != nil }
        guard let version = SemanticVersion(versionText) else {
            throw ManifestFields.refusal("version", "is no version")
        }
        self.version = version
        sha256 = try fields.text("sha256_hash", "64 lower-case hex digits") { ManifestFields.isHash($0) }
        let signatureText = try fields.text("signature", "64 bytes as standard padded base64") {
            PaddedBase64.decode($0)?.count == 64
        }
        signature = PaddedBase64.decode(signatureText) ?? []
        memoryMB = try fields.integer("max_memory_mb")
        cpuSeconds = try fields.integer("max_cpu_seconds")
        networkAllowed = try fields.boolean("network_allowed")
        keyID = try fields.optionalText("key_id", "[A-Za-z0-9._-]{1,64}") { ToolKeyRecord.isKeyID($0) }
        resources = try fields.resources(networkAllowed: networkAllowed)
        timeoutSeconds = try fields.optionalInteger("timeout_seconds")
        outputBytes = try fields.optionalInteger("max_output_bytes")
        let policyText = try fields.optionalText("policy", "default, restricted or custom") {
            ToolPolicy(rawValue: $0) != nil
        }
        policy = policyText.flatMap(ToolPolicy.init(rawValue:)) ?? .standard
        if policy == .custom {
            if timeoutSeconds == nil { throw ManifestFields.refusal("timeout_seconds", "is needed with policy custom") }
            if outputBytes == nil { throw ManifestFields.refusal("max_output_bytes", "is needed with policy custom") }
        }
        members["signature"] = nil
        guard let canonical = CanonicalJSON.encode(.object(members)) else {
            throw ManifestFields.refusal("manifest", "holds a number that is no integer of at most 2^53 − 1")
        }
        self.canonical = canonical
    }

    /// The name of the member at that byte.
    private static func doubledName(_ bytes: [UInt8], at offset: Int) -> String? {
        guard offset < bytes.count else { return nil }
        var end = offset + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < bytes.count else { return nil }
        // The parser has read this very text as a name already.
        return (try? JSONParser.parse(Array(bytes[offset...end])))?.stringValue
    }
}
