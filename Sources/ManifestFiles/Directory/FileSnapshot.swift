// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// One object as a file has it.
struct FileObject: Sendable {
    var decoded: DecodedResource
    var document: YAMLDocument
    var line: Int
}

/// What is known about one file.
struct FileSnapshot: Sendable {
    /// What tells one state of a file from another without reading it.
    struct Stamp: Sendable, Hashable {
        var inode: UInt64
        var size: Int64
        var modifiedNanoseconds: Int64
        var changedNanoseconds: Int64
    }

    var path: String
    var stamp: Stamp
    var firstSeen: Timestamp
    /// The objects of the last text that could be read.
    var objects: [FileObject]
    /// Why the present text cannot be read.
    var fault: ManifestProblem?

    /// Reads a file's bytes into objects.
    static func objects(of bytes: [UInt8], defaultNamespace: String) throws(YAMLFault) -> [FileObject] {
        var objects: [FileObject] = []
        for document in try YAMLReader.parse(bytes) {
            if document.value["kind"] == "List", document.value["apiVersion"] == "v1",
                let items = document.value["items"]?.arrayValue,
                let place = document.value.objectValue?.members.firstIndex(where: { $0.name == "items" })
            {
                for (item, lines) in zip(items, document.lines.children[place].children) {
                    objects.append(object(YAMLDocument(value: item, lines: lines), defaultNamespace))
                }
            } else {
                objects.append(object(document, defaultNamespace))
            }
        }
        return objects
    }

    private static func object(_ document: YAMLDocument, _ defaultNamespace: String) -> FileObject {
        FileObject(
            decoded: ResourceDecoder.decode(document.value, defaultNamespace: defaultNamespace), document: document,
            line: document.lines.line)
    }
}
