// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Reads single settings and collects what is wrong with them.
struct AuthenticationSettingsReader {
    private let texts: [String: String]
    private(set) var problems: [AuthenticationSettingsProblem] = []
    private(set) var warnings: [AuthenticationSettingsProblem] = []

    init(_ texts: [String: String]) { self.texts = texts }

    /// The full name of a setting whose name begins like most.
    static func name(_ suffix: String) -> String { "TOLLGATE_AUTH_" + suffix }

    mutating func problem(_ name: String, _ message: String) {
        problems.append(AuthenticationSettingsProblem(setting: name, message: message))
    }

    mutating func warn(_ name: String, _ message: String) {
        warnings.append(AuthenticationSettingsProblem(setting: name, message: message))
    }

    /// The text as it is, unless it is blank.
    func raw(_ names: String...) -> String? {
        for name in names {
            if let text = texts[name], !ASCII.trimmed(text).isEmpty { return text }
        }
        return nil
    }

    /// The trimmed text, unless it is blank.
    func text(_ name: String) -> String? { raw(name).map { ASCII.trimmed($0) } }

    mutating func flag(_ name: String, default standard: Bool = false) -> Bool {
        guard let text = text(name) else { return standard }
        switch ASCII.lowercased(text) {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default:
            problem(name, "'\(text)' is neither true nor false")
            return standard
        }
    }

    mutating func integer(_ name: String, default standard: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = text(name) else { return standard }
        guard text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
            range.contains(number)
        else {
            problem(name, "'\(text)' is not a whole number from \(range.lowerBound) to \(range.upperBound)")
            return standard
        }
        return number
    }

    mutating func duration(_ name: String, default standard: Duration, in range: ClosedRange<Duration>) -> Duration {
        guard let text = text(name) else { return standard }
        guard let duration = DurationText.parse(text, plainSeconds: true), range.contains(duration) else {
            problem(name, "'\(text)' is not \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
            return standard
        }
        return duration
    }

    private static func text(_ duration: Duration) -> String {
        duration.components.attoseconds == 0
            ? "\(duration.wholeSeconds) s" : "\(duration.wholeMicroseconds / 1000) ms"
    }

    mutating func seconds(_ name: String, default standard: Int64, in range: ClosedRange<Int64>) -> Int64 {
        duration(name, default: .seconds(standard), in: .seconds(range.lowerBound) ... .seconds(range.upperBound))
            .wholeSeconds
    }

    /// Nil when the setting is absent; the empty set when it names nothing.
    mutating func set(_ name: String) -> [String]? {
        guard let text = raw(name) else { return nil }
        do throws(TextRuleFault) {
            return try TextRules.stringSet(.string(text))
        } catch {
            problem(name, "not a list: \(error.rawValue)")
            return nil
        }
    }

    mutating func instant(_ name: String) -> Timestamp? {
        guard let text = text(name) else { return nil }
        guard let instant = Timestamp(claim: .string(text)) else {
            problem(name, "'\(text)' is neither UNIX seconds nor an ISO 8601 instant")
            return nil
        }
        return instant
    }

    /// An `https` URL, or `http` where it is allowed elsewhere; only the form is checked here.
    mutating func url(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        let lower = ASCII.lowercased(text)
        let start = lower.hasPrefix("https://") ? 8 : lower.hasPrefix("http://") ? 7 : 0
        let rest = text.utf8.dropFirst(start)
        guard start > 0, let first = rest.first, first != UInt8(ascii: "/"), text.utf8.count <= 2048,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            problem(name, "'\(text)' is not an https URL")
            return nil
        }
        guard !rest.prefix(while: { $0 != UInt8(ascii: "/") }).contains(UInt8(ascii: "@")) else {
            problem(name, "the URL holds a user name: take it out")
            return nil
        }
        return text
    }
}
