// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ToolTrust

/// What one ToolManifest of sound shape comes to.
struct ToolManifestEntry {
    /// A manifest that was good in an earlier pass, as the status of its object says.
    struct Remembered {
        var toolID: String
        var version: SemanticVersion
        var sha256: String
        var keyID: String?
        var members: JSONObject

        /// Reads a status; nil where it tells of no manifest that was ever good.
        init?(_ status: JSONValue?) {
            guard let status, let toolID = status["toolId"]?.stringValue,
                let version = status["version"]?.stringValue.flatMap({ SemanticVersion($0) }),
                let sha256 = status["sha256"]?.stringValue, status["lastVerifiedTime"]?.stringValue != nil
            else { return nil }
            self.toolID = toolID
            self.version = version
            self.sha256 = sha256
            keyID = status["keyId"]?.stringValue
            members = JSONObject(
                ["toolId", "version", "keyId", "sha256", "lastVerifiedTime"].compactMap { name in
                    status[name].map { (name, $0) }
                })
        }
    }

    private let manifest: ToolManifest
    private let keyID: String?
    private let isGood: Bool
    private var conditions = Conditions()

    /// - Parameters:
    ///   - path: where the executable should be.
    ///   - holder: the older object that has the tool already.
    ///   - highest: the highest version of the tool that was good before.
    init(
        _ manifest: ToolManifest, isSuspended: Bool, executable: ExecutableFile.Finding, path: String, holder: String?,
        highest: Remembered?, verifier: ToolVerifier, now: Timestamp
    ) {
        self.manifest = manifest
        var hash: String?
        if case .found(let sha256, _) = executable { hash = sha256 }
        let result = verifier.verify(manifest, executableSHA256: hash, now: now)
        keyID = result.keyID ?? manifest.keyID
        let refused = Self.acceptance(manifest, holder: holder, highest: highest, rules: verifier.rules)
        if let refused {
            conditions.set("Accepted", .false, refused.reason, refused.message)
        } else {
            conditions.set("Accepted", .true, "Accepted")
        }
        let untrusted = result.refusal.flatMap { refusal in
            Self.untrusted(refusal.code).map { (reason: $0, message: refusal.message) }
        }
        if let untrusted {
            conditions.set("Verified", .false, untrusted.reason, untrusted.message)
        } else {
            conditions.set("Verified", .true, "Verified", "signed by \(result.keyID ?? "")")
        }
        isGood = refused == nil && untrusted == nil
        setReady(
            notAccepted: refused?.message, notVerified: untrusted?.message, isSuspended: isSuspended,
            executable: executable, path: path)
    }

    /// The status of an object whose manifest has not the shape of one.
    static func invalid(_ message: String, earlier: JSONValue?) -> ObjectStatus {
        var conditions = Conditions()
        conditions.set("Accepted", .false, "InvalidManifest", message)
        conditions.set("Verified", .unknown, "InvalidManifest", "nothing is verified that is no manifest")
        conditions.set("Ready", .false, "NotAccepted", message)
        return ObjectStatus(conditions: conditions, members: Remembered(earlier)?.members ?? JSONObject())
    }

    /// The status. While the manifest is not good, the last good one stays in its members: a lower version must not follow it by a detour.
    func status(earlier: JSONValue?, now: Timestamp) -> ObjectStatus {
        let remembered = Remembered(earlier)
        var members: JSONObject = [
            "toolId": .string(manifest.toolID), "version": .string(manifest.version.description),
            "keyId": .optional(keyID), "sha256": .string(manifest.sha256),
        ]
        if isGood {
            let since = remembered.flatMap { stillGood($0, earlier) ? $0.members["lastVerifiedTime"] : nil }
            members["lastVerifiedTime"] = since ?? .string(now.rfc3339)
        } else if let remembered {
            members = remembered.members
        }
        return ObjectStatus(conditions: conditions, members: members)
    }

    /// Whether the same manifest was good in the last pass too: then the outcome has not moved.
    private func stillGood(_ remembered: Remembered, _ earlier: JSONValue?) -> Bool {
        let isSame =
            remembered.toolID == manifest.toolID && remembered.version == manifest.version
            && remembered.sha256 == manifest.sha256 && remembered.keyID == keyID
        let wasGood = ["Accepted", "Verified"].allSatisfy { type in
            earlier?["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }?["status"] == "True"
        }
        return isSame && wasGood
    }

    private static func acceptance(
        _ manifest: ToolManifest, holder: String?, highest: Remembered?, rules: ToolRules
    ) -> (reason: String, message: String)? {
        if let refusal = rules.refusal(manifest) { return ("LimitsExceeded", refusal.message) }
        if let highest {
            if manifest.version.precedes(highest.version) {
                return (
                    "VersionDowngrade",
                    "version \(manifest.version) is lower than \(highest.version), which was good before: raise it"
                )
            }
            let isSameText = manifest.version == highest.version && manifest.sha256 == highest.sha256
            if manifest.version.hasSamePrecedence(as: highest.version), !isSameText {
                return (
                    "VersionConflict",
                    "version \(highest.version) was good before with other bytes: raise the version"
                )
            }
        }
        return holder.map {
            ("DuplicateToolId", "\($0) has tool \(manifest.toolID) and is older; delete one of both")
        }
    }

    /// The reason of `Verified`; nil for what is no matter of trust.
    private static func untrusted(_ code: ErrorCode) -> String? {
        switch code {
        case .toolsUnknownKey: "UnknownKey"
        case .toolsKeyRevoked: "KeyRevoked"
        case .toolsKeyExpired: "KeyExpired"
        case .toolsBadSignature: "BadSignature"
        case .toolsHashMismatch: "HashMismatch"
        default: nil
        }
    }

    private mutating func setReady(
        notAccepted: String?, notVerified: String?, isSuspended: Bool, executable: ExecutableFile.Finding, path: String
    ) {
        if let notAccepted { return conditions.set("Ready", .false, "NotAccepted", notAccepted) }
        if let notVerified { return conditions.set("Ready", .false, "NotVerified", notVerified) }
        if isSuspended { return conditions.set("Ready", .false, "Suspended", "spec.suspend is true") }
        switch executable {
        case .missing:
            conditions.set("Ready", .false, "ExecutableMissing", "there is no \(path) below TOLLGATE_TOOLS_DIR")
        case .unfit(let why):
            conditions.set("Ready", .false, "ExecutableMissing", "\(path) below TOLLGATE_TOOLS_DIR may not run: \(why)")
        case .found:
            conditions.set(
                "Ready", .false, "SandboxUnavailable",
                "this release does not run tools: the sandbox comes with execution, and nothing runs without it")
        }
    }
}
