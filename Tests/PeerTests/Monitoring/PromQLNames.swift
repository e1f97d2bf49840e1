// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The names that an expression of PromQL uses. It knows tokens, not grammar: whether an expression is one, promtool says.
struct PromQLNames: Equatable {
    /// What is asked of a label.
    struct Matcher: Hashable {
        var label: String
        /// `=`, `!=`, `=~` or `!~`.
        var sign: String
        var value: String
    }

    /// A metric with what is asked of its labels.
    struct Selector: Hashable {
        var metric: String
        var matchers: [Matcher] = []
    }

    /// Why a text gives no names.
    enum Failure: Error, Equatable {
        case unterminatedString
        case unterminatedBraces
        /// Braces without a metric before them or a `__name__` in them.
        case selectorWithoutName
    }

    var selectors: [Selector] = []
    /// The labels of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`.
    var groupings: Set<String> = []

    private static let lists: Set = ["by", "without", "on", "ignoring", "group_left", "group_right"]
    private static let words: Set = ["and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "start", "end"]
    private static let aggregators: Set = [
        "sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values",
    ]

    /// - Throws: `Failure`.
    init(_ text: String) throws(Failure) {
        let tokens = try Self.tokens(text)
        var index = 0
        while index < tokens.count {
            let token = tokens[index]
            let next = index + 1 < tokens.count ? tokens[index + 1] : .sign("")
            index += 1
            switch token {
            case .sign("["):
                while index < tokens.count, tokens[index] != .sign("]") { index += 1 }
            case .sign("{"):
                let (matchers, end) = try Self.matchers(tokens, from: index)
                index = end
                guard let name = matchers.first(where: { $0.label == "__name__" && $0.sign == "=" }) else {
                    throw .selectorWithoutName
                }
                selectors.append(Selector(metric: name.value, matchers: matchers.filter { $0 != name }))
            case .name(let name):
                let lower = name.lowercased()
                if Self.lists.contains(lower) {
                    index = list(tokens, from: index)
                } else if Self.words.contains(lower) || next == .sign("(") {
                    continue
                } else if Self.aggregators.contains(lower), case .name(let word) = next, Self.lists.contains(word) {
                    continue
                } else if next == .sign("{") {
                    let (matchers, end) = try Self.matchers(tokens, from: index + 1)
                    index = end
                    selectors.append(Selector(metric: name, matchers: matchers))
                } else {
                    selectors.append(Selector(metric: name))
                }
            default: continue
            }
        }
    }

    /// Reads `(a, b)`, where there is one.
    private mutating func list(_ tokens: [Token], from start: Int) -> Int {
        guard start < tokens.count, tokens[start] == .sign("(") else { return start }
        var index = start + 1
        while index < tokens.count, tokens[index] != .sign(")") {
            if case .name(let label) = tokens[index] { groupings.insert(label) }
            index += 1
        }
        return index
    }

    /// Reads from behind a brace to behind the one that closes it.
    private static func matchers(
        _ tokens: [Token], from start: Int
    ) throws(Failure) -> (matchers: [Matcher], end: Int) {
        var matchers: [Matcher] = []
        var index = start
        while index < tokens.count {
            if tokens[index] == .sign("}") { return (matchers, index + 1) }
            if index + 2 < tokens.count, case .name(let label) = tokens[index],
                case .sign(let sign) = tokens[index + 1],
                case .text(let value) = tokens[index + 2]
            {
                matchers.append(Matcher(label: label, sign: sign, value: value))
                index += 3
            } else {
                index += 1
            }
        }
        throw .unterminatedBraces
    }
}

extension PromQLNames {
    private enum Token: Equatable {
        case name(String)
        case text(String)
        case sign(String)
        /// A number or a duration.
        case number
    }

    private static func tokens(_ text: String) throws(Failure) -> [Token] {
        var tokens: [Token] = []
        var rest = text[...]
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first == "#" {
                rest = rest.drop { $0 != "\n" }
            } else if "\"'`".contains(first) {
                tokens.append(.text(try string(&rest, quote: first)))
            } else if first.isASCII, first.isNumber || first == "." {
                rest = rest.drop { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") }
                tokens.append(.number)
            } else if isName(first) {
                let name = rest.prefix(while: isName)
                tokens.append(.name(String(name)))
                rest = rest[name.endIndex...]
            } else {
                let two = String(rest.prefix(2))
                let sign = ["=~", "!~", "!=", "==", ">=", "<="].contains(two) ? two : String(first)
                tokens.append(.sign(sign))
                rest = rest.dropFirst(sign.count)
            }
        }
        return tokens
    }

    private static func isName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_" || character == ":")
    }

    private static func string(_ rest: inout Substring, quote: Character) throws(Failure) -> String {
        var value = ""
        rest.removeFirst()
        while let character = rest.popFirst() {
            if character == quote { return value }
            if character == "\\", quote != "`" {
                guard let escaped = rest.popFirst() else { break }
                value.append(escaped == "n" ? "\n" : escaped)
            } else {
                value.append(character)
            }
        }
        throw .unterminatedString
    }
}
