// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Essentials

/// The form of what a command prints.
enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    /// For people.
    case table
    /// The API's own body.
    case json
    /// The API's own body as YAML.
    case yaml
}

extension OutputFormat {
    /// A body as JSON or YAML text; a table is made by the command itself.
    func text(of body: JSONValue) -> String { self == .yaml ? YAMLText.text(of: body) : body.jsonText }
}

/// How commands show instants.
enum ShownTime {
    /// `YYYY-MM-DD HH:MM:SS UTC` of an RFC 3339 text of any zone; the text itself when it is none.
    static func text(_ rfc3339: String) -> String {
        guard let instant = Timestamp(rfc3339: rfc3339) else { return rfc3339 }
        let text = instant.rfc3339
        return text.prefix(10) + " " + text.dropFirst(11).prefix(8) + " UTC"
    }
}
