// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Reads a query from the left and stops at its first fault. It never recurses deeper than a query may be nested.
struct BooleanQueryParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    /// Open parentheses and NOTs.
    private var depth = 0
    private var openParentheses = 0
    private var terms = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars.prefix(BooleanQuery.longest + 1)) }

    mutating func parse() throws(BooleanQueryFault) -> BooleanQuery.Node? {
        guard scalars.count <= BooleanQuery.longest else { throw fault(.tooLong, at: BooleanQuery.longest) }
        guard try look() != nil else { return nil }
        let node = try anyOf()
        guard try look() == nil else { throw unexpected(.expectedConnective) }
        return node
    }

    private mutating func anyOf() throws(BooleanQueryFault) -> BooleanQuery.Node {
        var nodes: [BooleanQuery.Node] = []
        repeat {
            let node = try allOf()
            if case .or(let inner) = node { nodes += inner } else { nodes.append(node) }
        } while try take(keyword: "or")
        return nodes.count == 1 ? nodes[0] : .or(nodes)
    }

    private mutating func allOf() throws(BooleanQueryFault) -> BooleanQuery.Node {
        var nodes: [BooleanQuery.Node] = []
        repeat {
            let node = try negation()
            if case .and(let inner) = node { nodes += inner } else { nodes.append(node) }
        } while try take(keyword: "and")
        return nodes.count == 1 ? nodes[0] : .and(nodes)
    }

    private mutating func negation() throws(BooleanQueryFault) -> BooleanQuery.Node {
        _ = try look()
        let start = position
        guard try take(keyword: "not") else { return try primary() }
        try descend(at: start)
        let node = try negation()
        depth -= 1
        return .not(node)
    }

    private mutating func primary() throws(BooleanQueryFault) -> BooleanQuery.Node {
        guard try look() == "(" else { return .comparison(try comparison()) }
        let start = position
        try descend(at: start)
        position += 1
        openParentheses += 1
        let node = try anyOf()
        switch try look() {
        case ")": position += 1
        case nil: throw fault(.unbalancedParenthesis, at: start)
        default: throw fault(.expectedConnective)
        }
        openParentheses -= 1
        depth -= 1
        return node
    }

    private mutating func descend(at start: Int) throws(BooleanQueryFault) {
        depth += 1
        guard depth <= BooleanQuery.deepest else { throw fault(.tooDeep, at: start) }
    }

    private mutating func comparison() throws(BooleanQueryFault) -> QueryComparison {
        guard try look() != nil else { throw fault(.expectedField) }
        let word = bareRun()
        guard let path = Self.path(word) else { throw unexpected(.expectedField) }
        terms += 1
        guard terms <= BooleanQuery.mostTerms else { throw fault(.tooManyTerms) }
        position += word.count
        let comparator = try comparator()
        guard let first = try look() else { throw fault(.expectedValue) }
        if first == "\"" {
            return QueryComparison(path: path, comparator: comparator, value: try quoted(), isQuoted: true)
        }
        let value = bareRun()
        guard !value.isEmpty, !Self.isKeyword(value) else { throw unexpected(.expectedValue) }
        position += value.count
        return QueryComparison(path: path, comparator: comparator, value: Self.string(value), isQuoted: false)
    }

    private mutating func comparator() throws(BooleanQueryFault) -> QueryComparison.Comparator {
        let found: QueryComparison.Comparator
        switch (try look(), position + 1 < scalars.count ? scalars[position + 1] : nil) {
        case ("=", _): found = .equal
        case ("~", _): found = .contains
        case ("!", "="): found = .unequal
        case (">", "="): found = .atLeast
        case ("<", "="): found = .atMost
        default: throw unexpected(.expectedOperator)
        }
        position += found.rawValue.utf8.count
        return found
    }

    private mutating func quoted() throws(BooleanQueryFault) -> String {
        let start = position
        var text = String.UnicodeScalarView()
        position += 1
        while position < scalars.count {
            let scalar = scalars[position]
            switch scalar {
            case "\"":
                position += 1
                return String(text)
            case "\\":
                let next = position + 1 < scalars.count ? scalars[position + 1] : nil
                guard let next, next == "\"" || next == "\\" else { throw fault(.badEscape) }
                text.append(next)
                position += 2
            case _ where Self.isBlank(scalar) && scalar != " ": throw fault(.unterminatedString, at: start)
            case _ where scalar.value < 0x20: throw fault(.badCharacter)
            default:
                text.append(scalar)
                position += 1
            }
        }
        throw fault(.unterminatedString, at: start)
    }

    // MARK: Places

    /// Passes over blanks and gives the scalar that a token begins with; nil at the end.
    private mutating func look() throws(BooleanQueryFault) -> Unicode.Scalar? {
        while position < scalars.count, Self.isBlank(scalars[position]) { position += 1 }
        guard position < scalars.count else { return nil }
        guard scalars[position].value >= 0x20 else { throw fault(.badCharacter) }
        return scalars[position]
    }

    private mutating func take(keyword: String) throws(BooleanQueryFault) -> Bool {
        guard try look() != nil else { return false }
        let run = bareRun()
        guard Self.reads(run, keyword) else { return false }
        position += run.count
        return true
    }

    /// The characters of a bare value or a name that stand here, without taking them.
    private func bareRun() -> ArraySlice<Unicode.Scalar> {
        scalars[position...].prefix { Self.isBare($0) }
    }

    private func fault(_ reason: BooleanQueryFault.Reason, at place: Int? = nil) -> BooleanQueryFault {
        BooleanQueryFault(reason: reason, position: place ?? position)
    }

    /// The fault of a token that has no place here; a closing parenthesis that closes nothing is one of its own.
    private func unexpected(_ reason: BooleanQueryFault.Reason) -> BooleanQueryFault {
        let closesNothing = openParentheses == 0 && position < scalars.count && scalars[position] == ")"
        return fault(closesNothing ? .unbalancedParenthesis : reason)
    }

    // MARK: Characters

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\r" || scalar == "\n"
    }

    static func isBare(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\u{0}"..."\u{20}", "(", ")", "\"", "=", "!", "~", "<", ">": false
        default: true
        }
    }

    static func isKeyword(_ run: some Collection<Unicode.Scalar>) -> Bool {
        reads(run, "and") || reads(run, "or") || reads(run, "not")
    }

    private static func reads(_ run: some Collection<Unicode.Scalar>, _ keyword: String) -> Bool {
        run.count == keyword.utf8.count
            && zip(run, keyword.utf8).allSatisfy { $0.isASCII && UInt8(ascii: $0) | 0x20 == $1 }
    }

    /// The names of a field; nil for what is none.
    private static func path(_ run: ArraySlice<Unicode.Scalar>) -> [String]? {
        guard !run.isEmpty, !isKeyword(run) else { return nil }
        let names = run.split(separator: ".", omittingEmptySubsequences: false)
        return names.allSatisfy(isName) ? names.map(string) : nil
    }

    private static func isName(_ run: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = run.first, isLetter(first) || first == "_" else { return false }
        return run.dropFirst().allSatisfy { isLetter($0) || ("0"..."9").contains($0) || $0 == "_" || $0 == "-" }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func string(_ run: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: run)
        return String(view)
    }
}
