// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials
internal import TestSupport
internal import Testing

/// What the language accepts, and where and why it refuses.
@Suite struct BooleanQueryParsingTests {
    private static let faults: [(String, Int, String)] = [
        // Where a field is expected.
        ("AND a=b", 0, "expected_field"), ("a=b AND", 7, "expected_field"), ("a=b OR  ", 8, "expected_field"),
        ("NOT", 3, "expected_field"), ("not=5", 3, "expected_field"), ("a=b AND OR c=d", 8, "expected_field"),
        ("()", 1, "expected_field"), ("(", 1, "expected_field"), ("=b", 0, "expected_field"),
        ("\"a\"=b", 0, "expected_field"), ("1a=b", 0, "expected_field"), ("a..b=c", 0, "expected_field"),
        (".a=b", 0, "expected_field"), ("a.=b", 0, "expected_field"), ("-a=b", 0, "expected_field"),
        ("é=b", 0, "expected_field"), ("a=b AND \"x", 8, "expected_field"),
        // Where an operator is expected.
        ("kind", 4, "expected_operator"), ("kind foo", 5, "expected_operator"), ("kind!x", 4, "expected_operator"),
        ("kind>5", 4, "expected_operator"), ("kind<", 4, "expected_operator"), ("kind (", 5, "expected_operator"),
        ("kind \"x\"", 5, "expected_operator"), ("kind NOT", 5, "expected_operator"),
        // Where a value is expected.
        ("kind=", 5, "expected_value"), ("kind= ", 6, "expected_value"), ("kind==a", 5, "expected_value"),
        ("kind=(a)", 5, "expected_value"), ("kind=or", 5, "expected_value"), ("(kind=)", 6, "expected_value"),
        ("kind=!x", 5, "expected_value"), ("kind>= <=", 7, "expected_value"),
        // Where a connective is expected.
        ("a=b c=d", 4, "expected_connective"), ("a=b NOT c=d", 4, "expected_connective"),
        ("a=b (c=d)", 4, "expected_connective"), ("(a=b) c=d", 6, "expected_connective"),
        ("a=b ANDx=1", 4, "expected_connective"), ("(a=b c", 5, "expected_connective"),
        ("a=\"b\"c=d", 5, "expected_connective"), ("a=b \"x\\y\"", 4, "expected_connective"),
        ("a=b=c", 3, "expected_connective"),
        // Parentheses.
        ("a=b)", 3, "unbalanced_parenthesis"), (")", 0, "unbalanced_parenthesis"),
        ("(a=b))", 5, "unbalanced_parenthesis"), ("(a=b", 0, "unbalanced_parenthesis"),
        ("((a=b)", 0, "unbalanced_parenthesis"), ("a=b OR (c=d AND (e=f)", 7, "unbalanced_parenthesis"),
        // Texts and characters.
        ("a=\"b", 2, "unterminated_string"), ("a=\"b\nc\"", 2, "unterminated_string"), ("é=", 0, "expected_field"),
        ("a=\"é\\n\"", 4, "bad_escape"), ("a=\"\\", 3, "bad_escape"), ("a=\"\u{1}\"", 3, "bad_character"),
        ("\u{0}", 0, "bad_character"), ("a\u{7}=b", 1, "bad_character"), ("a=b\u{1F} ", 3, "bad_character"),
        ("a=\u{2}", 2, "bad_character"), ("a=👩‍💻 \u{3}", 6, "bad_character"),
    ]

    @Test(arguments: faults)
    func saysWhereAndWhy(text: String, position: Int, reason: String) {
        expectFault(text, position, reason)
    }

    private func expectFault(_ text: String, _ position: Int, _ reason: String) {
        do {
            _ = try BooleanQuery(parsing: text)
            Issue.record("\(text.debugDescription) was accepted")
        } catch {
            #expect(error.code == .auditBadQuery)
            #expect(
                error.details == ["position": .int(Int64(position)), "reason": .string(reason)],
                "\(text.debugDescription)")
            #expect(error.message.hasPrefix("The query is wrong at position \(position): "))
        }
    }

    @Test func boundsLengthBeforeAnythingElse() throws {
        let longest = "a=" + String(repeating: "é", count: 2046)
        #expect(throws: Never.self) { try BooleanQuery(parsing: longest) }
        expectFault(longest + "é", 2048, "too_long")
        expectFault(String(repeating: ")", count: 5000), 2048, "too_long")
        expectFault(String(repeating: " ", count: 2049), 2048, "too_long")
    }

    @Test func boundsDepth() {
        let open = String(repeating: "(", count: 32)
        let close = String(repeating: ")", count: 32)
        #expect(throws: Never.self) { try BooleanQuery(parsing: "\(open)a=b\(close)") }
        expectFault("\(open)(a=b)\(close)", 32, "too_deep")
        expectFault("\(open) NOT a=b\(close)", 33, "too_deep")
        expectFault(String(repeating: "not ", count: 33) + "a=b", 128, "too_deep")
        // Levels that were left count no more.
        let side = String(repeating: "NOT ", count: 32) + "a=b"
        #expect(throws: Never.self) { try BooleanQuery(parsing: "\(side) AND \(side)") }
    }

    @Test func boundsComparisons() {
        let terms = Array(repeating: "a=b", count: 64).joined(separator: " or ")
        #expect(throws: Never.self) { try BooleanQuery(parsing: terms) }
        expectFault("\(terms) AND c=d", terms.count + 5, "too_many_terms")
    }

    private static let sameQueries: [(String, String)] = [
        ("a=b AND c=d OR e=f", "(a=b and c=d) Or (e=f)"), ("NOT a=b AND c=d", "(NOT (a=b)) AND (c=d)"),
        ("a=b OR c=d AND NOT e=f", "(a=b OR (c=d AND (NOT e=f)))"), ("a=b AND c=d AND e=f", "a=b AND (c=d AND e=f)"),
        ("(a=b)AND(c=d)", "a=b AND c=d"), ("a = b", "a=b"), ("a\t>=\r\n1", "a>=1"),
        ("a=\"x\"AND b=y", "a=\"x\" AND b=y"), ("NOT(a=b OR c=d)", "not (a=b or c=d)"),
    ]

    @Test(arguments: sameQueries)
    func readsAsTheGrammarSays(left: String, right: String) throws {
        #expect(try BooleanQuery(parsing: left).description == BooleanQuery(parsing: right).description)
    }

    private static let fields = [
        "a", "_", "a-b", "x_1.y-2._z", "AND.x", "ANDY", "nota", "or-x", "Not_",
    ]

    @Test(arguments: fields)
    func acceptsTheseFields(field: String) throws {
        let query = try BooleanQuery(parsing: "\(field)=1")
        #expect(query.description == "\(field)=1")
    }

    private static let values = [
        "a", "-", "a:b/c?d#e%f&g*h'i,j;k\\l[m]{n}|o@p$q^r+s.t", "\u{7F}", "é", "AND.", "nothing", "\u{A0}",
    ]

    @Test(arguments: values)
    func acceptsTheseBareValues(value: String) throws {
        #expect(try BooleanQuery(parsing: "a=\(value)").matches(["a": .string(value)]))
        #expect(try BooleanQuery(parsing: "(a=\(value))").matches(["a": .string(value)]))
    }
}
