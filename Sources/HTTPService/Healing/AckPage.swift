// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Healing

/// The pages of acknowledgements: plain, without scripts, styles or other documents.
enum AckPage {
    private static let type = "text/html; charset=utf-8"

    /// Asks before anything is done.
    ///
    /// - Parameters:
    ///   - action: where the form goes.
    ///   - fields: what it carries.
    static func question(
        _ request: AckRequest, endsAt: Timestamp, action: String, fields: [(name: String, value: String)]
    ) -> OwnAnswer {
        let inputs = fields.map { field in
            "<input type=\"hidden\" name=\"\(field.name)\" value=\"\(escaped(field.value))\">"
        }
        return page(
            "Acknowledge an alert",
            """
            <p>Alerts with all of these labels will be silenced for \(escaped(request.duration)), until \
            \(endsAt.rfc3339):</p>
            \(list(request))
            <form method="post" action="\(action)">\(inputs.joined())<button type="submit">Acknowledge</button></form>
            """)
    }

    /// Says what was done.
    static func done(_ request: AckRequest, endsAt: Timestamp, silenceID: String) -> OwnAnswer {
        page(
            "Acknowledged",
            """
            <p>Silenced until \(endsAt.rfc3339) (silence \(escaped(silenceID))):</p>
            \(list(request))
            """)
    }

    private static func list(_ request: AckRequest) -> String {
        let items = request.labelsJSON.members.map { member in
            "<li><code>\(escaped(member.name)) = \(escaped(member.value.stringValue ?? ""))</code></li>"
        }
        return "<ul>\(items.joined())</ul>"
    }

    private static func page(_ title: String, _ body: String) -> OwnAnswer {
        let text = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">\
            <meta name="viewport" content="width=device-width, initial-scale=1"><title>\(title)</title></head>
            <body><main><h1>\(title)</h1>
            \(body)
            </main></body></html>

            """
        var answer = OwnAnswer(text: (Array(text.utf8), type))
        answer.fields[.cacheControl] = "no-store"
        answer.fields[.robots] = "noindex"
        return answer
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

extension HTTPField.Name {
    static let robots = constant("X-Robots-Tag")
}
