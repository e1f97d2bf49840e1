// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import RuntimeState

/// The last good document on disk, so that a sidecar that starts while its operator is away knows what it knew.
///
/// `PATH` holds one line of JSON about the document and behind it the document; `PATH.heard` says when the operator last confirmed it. Both
/// have mode 0600, are replaced as a whole and are believed only for the same operator and AuthConfigs.
struct SidecarCacheFile: Sendable {
    /// What was kept.
    struct Kept: Sendable {
        var bytes: [UInt8]
        var entityTag: String
        /// When the operator last said that it is the one in force.
        var heardAt: Timestamp
    }

    /// Why the file is not believed.
    struct Distrust: Error, CustomStringConvertible {
        let description: String
    }

    private static let format = "tollgate-sidecar-cache/1"
    private static let maximumBytes = SidecarDocument.maximumBytes + 64 << 10

    let path: String
    let upstream: String
    let authConfigs: [String]

    private var heardPath: String { path + ".heard" }

    /// Keeps a document, durable when this returns.
    func save(_ bytes: [UInt8], entityTag: String, at now: Timestamp) throws(DurableFile.Failure) {
        let head: JSONValue = [
            "format": .string(Self.format), "upstream": .string(upstream), "auth_configs": .strings(authConfigs),
            "entity_tag": .string(entityTag), "saved_at": .int(now.microseconds),
            "sha256": .string(Fingerprint(of: bytes).description),
        ]
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try DurableFile.makeDirectory(String(path[..<slash]))
        }
        try DurableFile.write(head.encoded() + [0x0A] + bytes, to: path)
    }

    /// Notes that the kept document was confirmed.
    func heard(of entityTag: String, at now: Timestamp) throws(DurableFile.Failure) {
        let note: JSONValue = ["entity_tag": .string(entityTag), "heard_at": .int(now.microseconds)]
        try DurableFile.write(note.encoded() + [0x0A], to: heardPath)
    }

    /// Forgets the document: it is in force no more.
    func remove() throws(DurableFile.Failure) {
        try DurableFile.remove(path)
        try DurableFile.remove(heardPath)
    }

    /// What was kept; nil when there is nothing.
    ///
    /// - Throws: `Distrust` in words when what is there cannot be believed.
    func load(now: Timestamp) throws -> Kept? {
        guard let mode = try DurableFile.permissions(of: path) else { return nil }
        guard mode & 0o007 == 0 else {
            throw Distrust(
                description: "\(path) may be read or written by everybody: remove it; it is made with mode 0600")
        }
        // A volume with a group of its own may have widened it.
        _ = try DurableFile.makePrivate(path)
        guard let file = try DurableFile.read(path, limit: Self.maximumBytes),
            let end = file.prefix(64 << 10).firstIndex(of: 0x0A)
        else { throw Distrust(description: "\(path) is not a file of this kind") }
        // Whatever is not this JSON is not believed; why does not matter.
        guard let head = (try? JSONParser.parse(Array(file[..<end])))?.objectValue,
            head["format"]?.stringValue == Self.format, let tag = head["entity_tag"]?.stringValue,
            let savedAt = head["saved_at"]?.intValue, let digest = head["sha256"]?.stringValue
        else { throw Distrust(description: "\(path) is not a file of this kind") }
        guard head["upstream"]?.stringValue == upstream, head["auth_configs"] == .strings(authConfigs) else {
            throw Distrust(
                description: "\(path) was kept for another TOLLGATE_UPSTREAM or TOLLGATE_SIDECAR_AUTH_CONFIG")
        }
        let bytes = Array(file[file.index(after: end)...])
        guard Fingerprint(of: bytes).description == digest else {
            throw Distrust(description: "\(path) is damaged: its digest does not fit")
        }
        // A time to come would make it fresh for ever.
        let saved = min(Timestamp(microseconds: savedAt), now)
        return Kept(bytes: bytes, entityTag: tag, heardAt: max(saved, heardAt(tag, now: now) ?? saved))
    }

    private func heardAt(_ entityTag: String, now: Timestamp) -> Timestamp? {
        // The note is worth nothing when it cannot be read: the document then counts from when it was kept.
        guard let mode = (try? DurableFile.permissions(of: heardPath)).flatMap(\.self), mode & 0o007 == 0,
            let bytes = (try? DurableFile.read(heardPath, limit: 4096)).flatMap(\.self),
            let note = (try? JSONParser.parse(bytes))?.objectValue, note["entity_tag"]?.stringValue == entityTag,
            let micros = note["heard_at"]?.intValue
        else { return nil }
        return min(Timestamp(microseconds: micros), now)
    }
}
