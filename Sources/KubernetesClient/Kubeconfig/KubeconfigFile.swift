// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Yams

/// One file, parsed, its entries not looked into yet.
struct KubeconfigFile {
    let path: String
    let currentContext: String?
    let clusters: [KubeconfigEntry]
    let contexts: [KubeconfigEntry]
    let users: [KubeconfigEntry]

    /// Parses a text.
    ///
    /// - Throws: `malformedFile` with the line or the field; the message never quotes the text, for it may be a credential.
    init(bytes: [UInt8], path: String) throws(ClusterConnectionError) {
        func fault(_ words: String) -> ClusterConnectionError {
            ClusterConnectionError(.malformedFile, "\(path): \(words)")
        }
        guard bytes.count <= ClusterFile.maximumBytes else {
            throw ClusterConnectionError(.unreadableFile, "\(path): a kubeconfig must be no larger than 1 MiB")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw fault("the file is not UTF-8: write it anew as text")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw fault("the file is not YAML\(Self.place(error)): mend its syntax")
        }
        self.path = path
        guard let root, !root.isNothing else {
            (currentContext, clusters, contexts, users) = (nil, [], [], [])
            return
        }
        guard root.mapping != nil else { throw fault("the file is no kubeconfig: it must be a mapping") }
        if let kind = root.member("kind")?.words, kind != "Config" {
            throw fault("kind is \(kind.prefix(32)): a kubeconfig has kind Config")
        }
        let context = root.member("current-context")?.words ?? ""
        currentContext = context.isEmpty ? nil : context
        let folder = Self.folder(of: path)
        clusters = try KubeconfigEntry.entries("clusters", "cluster", in: root, file: path, folder: folder)
        contexts = try KubeconfigEntry.entries("contexts", "context", in: root, file: path, folder: folder)
        users = try KubeconfigEntry.entries("users", "user", in: root, file: path, folder: folder)
    }

    private static func folder(of path: String) -> String {
        let absolute = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        return absolute.lastIndex(of: "/").map { String(absolute[..<$0]) } ?? ""
    }

    private static func place(_ error: any Error) -> String {
        switch error {
        case YamlError.scanner(_, _, let mark, _), YamlError.parser(_, _, let mark, _),
            YamlError.composer(_, _, let mark, _):
            " (line \(mark.line))"
        case YamlError.duplicatedKeysInMapping: " (a field is there twice)"
        default: ""
        }
    }
}

extension Node {
    /// Whether nothing stands here: `null`, `~` or no text at all.
    var isNothing: Bool { scalar != nil && null != nil }

    /// The text of a scalar; nil for everything else and for nothing.
    var words: String? { isNothing ? nil : scalar?.string }

    /// A member of a mapping that is there and not null.
    func member(_ name: String) -> Node? {
        guard let mapping else { return nil }
        guard let found = mapping.first(where: { $0.key.scalar?.string == name })?.value, !found.isNothing else {
            return nil
        }
        return found
    }
}
