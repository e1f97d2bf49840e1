// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Shows an explained decision to people.
struct ExplainOutput {
    /// The answer of the decisions API.
    let body: JSONValue
    /// The request as it was asked about.
    let request: String
    /// Whether marks are plain ASCII, for what is no terminal.
    let isPlain: Bool

    /// The exit status for the status of the judged request.
    static func exit(status: Int) -> ExitStatus {
        switch status {
        case 200: .done
        case 401: .unauthenticated
        case 402, 403: .forbidden
        case 429: .rateLimited
        case 503: .unavailable
        default: .otherFault
        }
    }

    /// The lines.
    var text: String {
        var lines = [clean(request)] + head.map { label, value in padded(label + ":", 13) + clean(value) }
        lines.append("")
        for step in steps { append(step, to: &lines) }
        let remedies = steps.flatMap { step in texts(step["remedy"]).map { (step["step"]?.stringValue ?? "", $0) } }
        if !remedies.isEmpty {
            lines += ["", "To make it pass:"]
            lines += remedies.map { "  \($0.0): \(clean($0.1))" }
        }
        return lines.joined(separator: "\n")
    }

    private var steps: [JSONValue] { body["explain"]?["steps"]?.arrayValue ?? [] }

    private var head: [(String, String)] {
        let matched = body["explain"]?["matched"]
        let behind = (body["explain"]?["would_be"]?.objectValue?.members ?? []).compactMap { member in
            member.value.intValue.map { "\(member.name) \($0)" }
        }
        return [
            ("Result", result), ("AuthConfig", matched?["auth_config"]?.stringValue ?? "-"),
            ("Host rule", matched?["host_rule"]?.stringValue ?? "-"),
            ("Path", body["explain"]?["canonical_path"]?.stringValue ?? "-"),
            ("Route", matched?["route"]?.stringValue ?? "-"),
            ("Permission", matched?["permission"]?.stringValue ?? "-"), ("Caller", caller),
            ("Behind", behind.isEmpty ? "-" : behind.joined(separator: ", ")),
        ]
    }

    private var result: String {
        let status = body["status"]?.intValue ?? 0
        guard status != 200 else { return "allowed" }
        let verdict = status == 503 ? "cannot be decided" : "refused"
        let code = body["code"]?.stringValue ?? ""
        return "\(verdict): \(status) \(code), \(body["message"]?.stringValue ?? "")"
    }

    private var caller: String {
        guard let subject = body["principal"]?["subject"]?.stringValue else { return "-" }
        let source = body["principal"]?["auth_source"]?.stringValue ?? ""
        return subject == source ? subject : "\(subject) (\(source))"
    }

    private func append(_ step: JSONValue, to lines: inout [String]) {
        let name = padded(step["step"]?.stringValue ?? "", 13)
        var details = texts(step["detail"])
        if let code = step["code"]?.stringValue { details.insert(code, at: 0) }
        for (index, detail) in details.enumerated() {
            let lead = index == 0 ? "\(mark(step["outcome"]?.stringValue)) \(name) " : String(repeating: " ", count: 16)
            lines.append(lead + clean(detail))
        }
        if details.isEmpty { lines.append("\(mark(step["outcome"]?.stringValue)) \(step["step"]?.stringValue ?? "")") }
    }

    private func mark(_ outcome: String?) -> String {
        switch outcome {
        case "pass": isPlain ? "+" : "✓"
        case "deny": isPlain ? "x" : "✗"
        case "unavailable": "!"
        default: isPlain ? "-" : "–"
        }
    }

    /// The lines of a text that may have several.
    private func texts(_ value: JSONValue?) -> [String] {
        guard let text = value?.stringValue, !text.isEmpty else { return [] }
        return text.split(separator: "\n").map(String.init)
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Without control characters, so that what a request said cannot draw on the terminal.
    private func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: " "
                    default: scalar
                    }
                }))
    }
}
