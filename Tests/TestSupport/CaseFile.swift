// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import Foundation

/// One acceptance case of `Tests/Cases/<area>*.json`.
package struct CaseRecord: Sendable, CustomStringConvertible {
    package let id: String
    package let kind: String
    /// The whole case.
    package let json: JSONValue

    package init(id: String, kind: String, json: JSONValue) {
        self.id = id
        self.kind = kind
        self.json = json
    }

    package var description: String { id }

    /// `rows`, each with `given` and `expect`.
    package var rows: [JSONValue] { json["rows"]?.arrayValue ?? [] }
    /// `steps`.
    package var steps: [JSONValue] { json["steps"]?.arrayValue ?? [] }
    package var given: JSONValue { json["given"] ?? .object([:]) }
    package var expect: JSONValue { json["expect"] ?? .object([:]) }
}

/// The acceptance cases of an area.
package enum CaseFile {
    /// Every case of every file of the area, in file order. A file that cannot be read gives one record of kind `unreadable`, which fails.
    package static func all(area: String) -> [CaseRecord] {
        let folder = Repository.root.appending(path: "Tests/Cases")
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
            .filter { $0.hasPrefix(area) && $0.hasSuffix(".json") }.sorted()
        return names.flatMap { name -> [CaseRecord] in
            guard let data = try? Data(contentsOf: folder.appending(path: name)),
                let document = try? JSONParser.parse(Array(data)), let cases = document["cases"]?.arrayValue
            else { return [CaseRecord(id: name, kind: "unreadable", json: .null)] }
            return cases.map {
                CaseRecord(id: $0["id"]?.stringValue ?? "?", kind: $0["kind"]?.stringValue ?? area, json: $0)
            }
        }
    }

    /// The named event sets that cases of the area's own file refer to.
    package static func sets(area: String) throws -> JSONValue {
        let data = try Data(contentsOf: Repository.root.appending(path: "Tests/Cases/\(area).json"))
        return try JSONParser.parse(Array(data))["sets"] ?? .object([:])
    }
}

/// Where the sources stand.
package enum Repository {
    /// The folder of Package.swift.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
}
