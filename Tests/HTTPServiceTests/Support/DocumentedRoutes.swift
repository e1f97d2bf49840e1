// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import TestSupport

/// A method and a path whose captures are all `{}`.
struct ServedRoute: Hashable, CustomStringConvertible, Comparable {
    /// `ANY` where every method is taken.
    let method: String
    let path: String

    init(_ method: String, _ pattern: String) {
        self.method = method
        path =
            "/"
            + pattern.split(separator: "/").map { $0.hasPrefix("{") ? "{}" : String($0) }.joined(separator: "/")
    }

    var description: String { "\(method) \(path)" }

    static func < (left: ServedRoute, right: ServedRoute) -> Bool {
        (left.path, left.method) < (right.path, right.method)
    }
}

/// What the tables of `docs/reference/api.md` say is served.
///
/// The first cell of a row names methods and paths: a path without a method has the one before it, a method without a path has the path that
/// follows, and `…` stands for as much of the path before as makes it one that is served. A path that ends with a slash is that and what is
/// below it. Paragraphs tell of aliases: a path alone stands for the first path of its section.
struct DocumentedRoutes {
    private static let methods: Set = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    private let served: Set<ServedRoute>
    private(set) var all: Set<ServedRoute> = []
    /// Those of the present section.
    private var section: Set<ServedRoute> = []
    private var sectionPath: String?
    private var isTable = false
    private var paragraph = ""

    /// - Parameter served: what `…` may stand for.
    init(_ document: String, served: Set<ServedRoute>) {
        self.served = served
        for line in (document + "\n").split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { endSection() }
            if line.hasPrefix("|") {
                endParagraph()
                read(row: line)
            } else if line.isEmpty {
                isTable = false
                endParagraph()
            } else {
                paragraph += line + " "
            }
        }
        endSection()
    }

    private mutating func endSection() {
        all.formUnion(section)
        section = []
        sectionPath = nil
    }

    private mutating func read(row: Substring) {
        let cell = row.dropFirst().prefix { $0 != "|" }.trimmingCharacters(in: .whitespaces)
        if cell == "method and path" { isTable = true }
        guard isTable, cell.contains("`") else { return }
        if cell.hasPrefix("gRPC") { return }
        let isAny = cell.hasPrefix("any ")
        add(Self.spans(cell), method: isAny ? "ANY" : nil, isBelow: cell.hasPrefix("any path below"))
    }

    /// What stands in backticks.
    private static func spans(_ text: String) -> [Substring] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? $0.element : nil }
    }

    private mutating func add(_ spans: [Substring], method: String?, isBelow: Bool = false) {
        var methods = method.map { [$0] } ?? []
        var waiting: [String] = []
        var before = ""
        for span in spans {
            let words = span.split(separator: " ")
            if let first = words.first, Self.methods.contains(String(first)) {
                waiting.append(String(first))
                if words.count == 1 { continue }
            }
            guard let last = words.last, last.hasPrefix("/") || last.hasPrefix("…") else { continue }
            if !waiting.isEmpty { methods = waiting }
            waiting = []
            let told = String(last.prefix { $0 != "?" })
            var path = told
            for method in methods {
                if told.hasPrefix("…") { path = resolved(String(told.dropFirst()), after: before, method) }
                section.insert(ServedRoute(method, isBelow ? path + "/{path}" : path))
                if path.hasSuffix("/"), path != "/" { section.insert(ServedRoute(method, path + "{below}")) }
            }
            sectionPath = sectionPath ?? path
            before = path
        }
    }

    /// The longest part of a path with which a suffix is served; the whole path where none is.
    private func resolved(_ suffix: String, after path: String, _ method: String) -> String {
        // What came before may have been told in a row above: then the section's own path leads there.
        for start in [path, sectionPath ?? ""] + section.map(\.path).sorted(by: { $0.utf8.count > $1.utf8.count }) {
            var parts = start.split(separator: "/")
            while true {
                let candidate = "/" + parts.joined(separator: "/") + suffix
                if served.contains(ServedRoute(method, candidate)), !(suffix.isEmpty && parts.isEmpty) {
                    return candidate
                }
                if parts.isEmpty { break }
                parts.removeLast()
            }
        }
        return path + "/…" + suffix
    }

    private mutating func endParagraph() {
        defer { paragraph = "" }
        guard paragraph.lowercased().contains("alias"), let origin = sectionPath else { return }
        let spans = Self.spans(paragraph)
        let plain = spans.prefix { $0.hasPrefix("/") }
        for alias in plain {
            for route in section where route.path == origin || route.path.hasPrefix(origin + "/") {
                section.insert(ServedRoute(route.method, String(alias) + String(route.path.dropFirst(origin.count))))
            }
        }
        add(Array(spans.dropFirst(plain.count)), method: nil)
    }
}
