// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Puts what the files hold together: problems, duplicates, generations.
struct ManifestAssembly {
    private struct Entry {
        var object: FileObject
        var source: ManifestSource
        var firstSeen: Timestamp
    }

    private var problems: [ManifestProblem]
    private let now: Timestamp
    private var entries: [ObjectKey: [Entry]] = [:]
    private var count = 0

    init(problems: [ManifestProblem], now: Timestamp) {
        self.problems = problems
        self.now = now
    }

    mutating func add(_ files: [FileSnapshot]) {
        for file in files {
            if let fault = file.fault {
                problems.append(
                    ManifestProblem(
                        file: fault.file, line: fault.line,
                        message: fault.message + (file.objects.isEmpty ? "" : "; its last good objects stay in force")))
            }
            for object in file.objects { add(object, of: file) }
        }
        if count > ManifestDirectory.maxObjects {
            problems.append(
                ManifestProblem(
                    file: files.last?.path ?? "",
                    message:
                        "there are \(count) objects; those behind the first \(ManifestDirectory.maxObjects) are left out"
                ))
        }
    }

    private mutating func add(_ object: FileObject, of file: FileSnapshot) {
        for problem in object.decoded.problems {
            problems.append(
                ManifestProblem(
                    object.decoded.isForeignKind ? .warning : .error, file: file.path,
                    line: object.document.lines.line(of: problem.location, in: object.document.value),
                    object: object.decoded.key?.description ?? Self.shownName(object.document.value),
                    field: problem.path,
                    message: problem.message))
        }
        guard let key = object.decoded.key else { return }
        count += 1
        guard count <= ManifestDirectory.maxObjects else { return }
        entries[key, default: []].append(
            Entry(
                object: object, source: ManifestSource(file: file.path, line: object.line), firstSeen: file.firstSeen))
    }

    /// What is told about an object whose key is not known.
    static func shownName(_ value: JSONValue) -> String? {
        guard let kind = value["kind"]?.stringValue, let name = value["metadata"]?["name"]?.stringValue else {
            return nil
        }
        let namespace = value["metadata"]?["namespace"]?.stringValue ?? "default"
        return [kind, namespace, name].map { YAMLScalar.shown($0).dropFirst().dropLast() }.joined(separator: "/")
    }

    mutating func finish(lastGood: inout [ObjectKey: ManifestObject], memory: inout [ObjectKey: ObjectMemory])
        -> ManifestLoad
    {
        var objects: [LoadedObject] = []
        var duplicates: [ManifestDuplicate] = []
        for key in entries.keys.sorted() {
            let places = entries[key] ?? []
            if places.count == 1, let entry = places.first {
                objects.append(loaded(key, entry, &lastGood, &memory))
            } else {
                duplicates.append(duplicate(key, places))
            }
        }
        lastGood = lastGood.filter { entries[$0.key] != nil }
        // What cannot be read may hold the objects that are missing: they are remembered until it can.
        if !problems.contains(where: { $0.severity == .error && $0.object == nil }) {
            memory = memory.filter { entries[$0.key] != nil }
        }
        problems.sort { ($0.file, $0.line, $0.description) < ($1.file, $1.line, $1.description) }
        return ManifestLoad(objects: objects, problems: problems, duplicates: duplicates)
    }

    private mutating func duplicate(_ key: ObjectKey, _ places: [Entry]) -> ManifestDuplicate {
        for (index, entry) in places.enumerated() {
            let others = places.enumerated().filter { $0.offset != index }.map(\.element.source.description)
            problems.append(
                ManifestProblem(
                    file: entry.source.file, line: entry.source.line, object: key.description,
                    message: "stands at \(others.joined(separator: ", ")) too; none of them is in force, keep one"))
        }
        return ManifestDuplicate(
            key: key, sources: places.map(\.source), claimedHosts: places.flatMap(\.object.decoded.claimedHosts))
    }

    private mutating func loaded(
        _ key: ObjectKey, _ entry: Entry, _ lastGood: inout [ObjectKey: ManifestObject],
        _ memory: inout [ObjectKey: ObjectMemory]
    ) -> LoadedObject {
        var refusals = entry.object.decoded.problems
        let old = lastGood[key]
        if let old, let new = entry.object.decoded.object {
            refusals = ManifestObject.validateUpdate(old: old, new: new)
            for refusal in refusals {
                problems.append(
                    ManifestProblem(
                        file: entry.source.file,
                        line: entry.object.document.lines.line(of: refusal.location, in: entry.object.document.value),
                        object: key.description, field: refusal.path, message: refusal.message))
            }
        }
        var remembered =
            memory[key] ?? ObjectMemory(generation: 0, specDigest: "", firstSeen: entry.firstSeen.microseconds)
        var object = refusals.isEmpty ? entry.object.decoded.object : old
        if refusals.isEmpty, let new = object {
            let digest =
                old?.specDocument != nil && old?.specDocument == new.specDocument
                ? remembered.specDigest : Self.digest(of: new)
            if digest != remembered.specDigest || remembered.generation == 0 {
                remembered.generation += 1
                remembered.specDigest = digest
            }
        }
        memory[key] = remembered
        let created = object?.metadata.creationTimestamp ?? TextInstant(Timestamp(microseconds: remembered.firstSeen))
        object?.metadata.generation = remembered.generation
        object?.metadata.creationTimestamp = created
        lastGood[key] = object
        return LoadedObject(
            key: key, object: object, source: entry.source, generation: remembered.generation,
            creationTimestamp: created.timestamp, problems: refusals,
            claimedHosts: entry.object.decoded.claimedHosts)
    }

    /// Tells one `spec` from another. Secrets and ConfigMaps have none: nothing that is made of their bytes is ever handed out.
    private static func digest(of object: ManifestObject) -> String {
        guard let document = object.specDocument else { return "" }
        var hash = FNV1a()
        hash.add(document.encoded(sortedNames: true))
        return String(hash.value, radix: 16)
    }

    private struct FNV1a {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        mutating func add(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
    }
}
