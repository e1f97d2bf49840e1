// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// Where an object stands.
package struct ManifestSource: Sendable, Hashable, CustomStringConvertible {
    package let file: String
    /// From 1.
    package let line: Int

    /// Takes file and line.
    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// `file:line`.
    package var description: String { "\(file):\(line)" }
}

/// One object of the files.
package struct LoadedObject: Sendable {
    /// Which object it is.
    package let key: ObjectKey
    /// What is in force, `metadata.generation` and `creationTimestamp` set: the manifest's object, or, when that is refused, the last good
    /// one, as an API server would keep it. Nil when there never was a good one.
    package let object: ManifestObject?
    /// Where it stands.
    package let source: ManifestSource
    /// How often `spec` changed, from 1; 0 when there never was a good one.
    package let generation: Int64
    /// From the manifest, else when its file was first seen.
    package let creationTimestamp: Timestamp
    /// Why the manifest as it stands is refused; empty when `object` is what it says.
    package let problems: [FieldProblem]
    /// The hosts that an AuthConfig names, even when it is refused.
    package let claimedHosts: [String]

    /// Whether `object` is what the manifest says.
    package var isCurrent: Bool { object != nil && problems.isEmpty }
}

/// Something that is wrong with the files.
package struct ManifestProblem: Sendable, Hashable, CustomStringConvertible {
    /// How bad it is.
    package enum Severity: String, Sendable { case error, warning }

    package let severity: Severity
    package let file: String
    /// From 1; 0 when it is about the file as a whole.
    package let line: Int
    /// `kind/namespace/name`, when it is known.
    package let object: String?
    /// The field's path; empty when it is about the object as a whole.
    package let field: String
    package let message: String

    /// Takes the parts.
    package init(
        _ severity: Severity = .error, file: String, line: Int = 0, object: String? = nil, field: String = "",
        message: String
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.object = object
        self.field = field
        self.message = message
    }

    /// `file:line: kind/namespace/name: field: message`, without what is not known.
    package var description: String {
        var parts = [line > 0 ? "\(file):\(line)" : file]
        if let object { parts.append(object) }
        if !field.isEmpty { parts.append(field) }
        parts.append(severity == .warning ? "warning: \(message)" : message)
        return parts.joined(separator: ": ")
    }
}

/// One object in several places: none of them is in force.
package struct ManifestDuplicate: Sendable, Hashable {
    package let key: ObjectKey
    /// Every place, in order.
    package let sources: [ManifestSource]
    /// The hosts that all of them name.
    package let claimedHosts: [String]
}

/// What the files say, all together.
package struct ManifestLoad: Sendable {
    /// By kind, namespace and name; what stands in several places is in `duplicates` instead.
    package let objects: [LoadedObject]
    /// By file and line.
    package let problems: [ManifestProblem]
    package let duplicates: [ManifestDuplicate]
}

/// What is remembered about an object between loads and, when the owner stores it, between runs.
package struct ObjectMemory: Sendable, Hashable, Codable {
    /// How often `spec` changed.
    package var generation: Int64
    /// The digest of the last good `spec`: 64 bits of FNV-1a over its sorted JSON, in hex.
    package var specDigest: String
    /// When the object's file was first seen, in microseconds since 1970.
    package var firstSeen: Int64

    /// Takes the parts.
    package init(generation: Int64, specDigest: String, firstSeen: Int64) {
        self.generation = generation
        self.specDigest = specDigest
        self.firstSeen = firstSeen
    }
}
