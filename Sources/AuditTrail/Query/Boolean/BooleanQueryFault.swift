// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// The first thing from the left that is wrong with a query.
struct BooleanQueryFault: Error, Sendable, Hashable {
    enum Reason: String, Sendable, CaseIterable {
        case expectedField = "expected_field"
        case expectedOperator = "expected_operator"
        case expectedValue = "expected_value"
        case expectedConnective = "expected_connective"
        case unbalancedParenthesis = "unbalanced_parenthesis"
        case unterminatedString = "unterminated_string"
        case badEscape = "bad_escape"
        case badCharacter = "bad_character"
        case tooLong = "too_long"
        case tooDeep = "too_deep"
        case tooManyTerms = "too_many_terms"
    }

    let reason: Reason
    /// Unicode scalars before the offending token; at the end of the text its length.
    let position: Int

    /// `audit.bad_query` with the place and the mend.
    var refusal: Refusal {
        Refusal(
            .auditBadQuery, message: "The query is wrong at position \(position): \(mend)",
            details: ["position": .int(Int64(position)), "reason": .string(reason.rawValue)])
    }

    private var mend: String {
        switch reason {
        case .expectedField: "a field name, NOT or ( is expected"
        case .expectedOperator: "one of = != ~ >= <= is expected behind a field name"
        case .expectedValue: "a value is expected; put quotes around a keyword, a blank or any of ( ) = ! ~ < >"
        case .expectedConnective: "AND or OR is expected between two comparisons"
        case .unbalancedParenthesis: "this parenthesis has no counterpart"
        case .unterminatedString: "this quoted text has no end"
        case .badEscape: "a backslash in a quoted text stands before a quote or another backslash"
        case .badCharacter: "control characters are not allowed"
        case .tooLong: "a query has at most \(BooleanQuery.longest) characters"
        case .tooDeep: "parentheses and NOT are nested at most \(BooleanQuery.deepest) deep"
        case .tooManyTerms: "a query has at most \(BooleanQuery.mostTerms) comparisons"
        }
    }
}
