// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Yams

/// A named cluster, context or user, with the place that its problems are told at.
struct KubeconfigEntry {
    private static let maximumListLength = 1000

    let name: String
    private let node: Node
    private let file: String
    private let folder: String
    /// `users[name=admin].user`
    private let place: String

    private init(name: String, node: Node, file: String, folder: String, place: String) {
        self.name = name
        self.node = node
        self.file = file
        self.folder = folder
        self.place = place
    }

    /// The entries of a list of the file.
    static func entries(
        _ list: String, _ member: String, in root: Node, file: String, folder: String
    ) throws(ClusterConnectionError) -> [KubeconfigEntry] {
        guard let node = root.member(list) else { return [] }
        guard let elements = node.sequence else {
            throw ClusterConnectionError(.malformedFile, "\(file): \(list): must be a list")
        }
        var entries: [KubeconfigEntry] = []
        var names: Set<String> = []
        for (index, element) in elements.enumerated() {
            guard let name = element.member("name")?.words, !name.isEmpty else {
                throw ClusterConnectionError(.malformedFile, "\(file): \(list)[\(index)].name: must be a text")
            }
            guard names.insert(name).inserted else {
                throw ClusterConnectionError(
                    .malformedFile,
                    "\(file): \(list)[\(index)].name: \"\(name.prefix(128))\" is there twice: names are unique")
            }
            let body = element.member(member) ?? Node([(Node, Node)]())
            guard body.mapping != nil else {
                throw ClusterConnectionError(.malformedFile, "\(file): \(list)[\(index)].\(member): must be a mapping")
            }
            entries.append(
                KubeconfigEntry(
                    name: name, node: body, file: file, folder: folder,
                    place: "\(list)[name=\(name.prefix(128))].\(member)"))
        }
        return entries
    }

    /// A problem with a field, told with file, place and mend.
    func fault(
        _ field: String, _ words: String, _ code: ClusterConnectionError.Code = .badField
    ) -> ClusterConnectionError {
        ClusterConnectionError(code, "\(file): \(place).\(field): \(words)")
    }

    /// Whether the field is there with something in it.
    func has(_ field: String) -> Bool { node.member(field) != nil }

    /// A text; nil when it is missing or empty.
    func text(_ field: String) throws(ClusterConnectionError) -> String? {
        guard let value = node.member(field) else { return nil }
        guard let text = value.words else { throw fault(field, "must be a text") }
        return text.isEmpty ? nil : text
    }

    /// A truth value; false when it is missing.
    func flag(_ field: String) throws(ClusterConnectionError) -> Bool {
        guard let value = node.member(field) else { return false }
        guard let flag = value.bool else { throw fault(field, "must be true or false") }
        return flag
    }

    /// A mapping below this one; nil when it is missing.
    func part(_ field: String) throws(ClusterConnectionError) -> KubeconfigEntry? {
        guard let value = node.member(field) else { return nil }
        guard value.mapping != nil else { throw fault(field, "must be a mapping") }
        return KubeconfigEntry(name: name, node: value, file: file, folder: folder, place: "\(place).\(field)")
    }

    /// A list of mappings.
    func parts(_ field: String) throws(ClusterConnectionError) -> [KubeconfigEntry] {
        var parts: [KubeconfigEntry] = []
        for (index, element) in try elements(field).enumerated() {
            guard element.mapping != nil else { throw fault("\(field)[\(index)]", "must be a mapping") }
            parts.append(
                KubeconfigEntry(
                    name: name, node: element, file: file, folder: folder, place: "\(place).\(field)[\(index)]"))
        }
        return parts
    }

    /// A list of texts.
    func texts(_ field: String) throws(ClusterConnectionError) -> [String] {
        var texts: [String] = []
        for (index, element) in try elements(field).enumerated() {
            guard let text = element.scalar?.string else { throw fault("\(field)[\(index)]", "must be a text") }
            texts.append(text)
        }
        return texts
    }

    /// The path that a field names, relative to the file's folder; nil when it is missing.
    func path(_ field: String) throws(ClusterConnectionError) -> String? {
        try text(field).map(absolute)
    }

    /// A path relative to the file's folder.
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    /// `field-data` with its bytes in base64, else the file that `field` names; nil without both.
    func material(_ field: String) throws(ClusterConnectionError) -> ClusterConnection.Material? {
        if let text = try text("\(field)-data") {
            guard let bytes = Base64.decode(text), !bytes.isEmpty else {
                throw fault("\(field)-data", "must be base64 of a PEM file (base64 -w0 FILE)")
            }
            return .bytes(.init(bytes))
        }
        guard let path = try path(field) else { return nil }
        _ = try content(of: .file(path), field: field)
        return .file(path)
    }

    /// The bytes of what a field gave.
    func content(
        of material: ClusterConnection.Material, field: String
    ) throws(ClusterConnectionError) -> [UInt8] {
        switch material {
        case .bytes(let bytes): bytes.revealed
        case .file(let path): try ClusterFile.read(path, field: "\(file): \(place).\(field)")
        }
    }

    private func elements(_ field: String) throws(ClusterConnectionError) -> [Node] {
        guard let value = node.member(field) else { return [] }
        guard let sequence = value.sequence else { throw fault(field, "must be a list") }
        guard sequence.count <= Self.maximumListLength else {
            throw fault(field, "has more than \(Self.maximumListLength) elements")
        }
        return Array(sequence)
    }
}
