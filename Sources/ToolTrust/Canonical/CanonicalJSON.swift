// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// RFC 8785 (JSON Canonicalization Scheme) for documents whose numbers are integers, as those of tool manifests are.
package enum CanonicalJSON {
    /// The largest integer that every JSON implementation reads as the same number: 2^53 − 1.
    package static let largestInteger: Int64 = 9_007_199_254_740_991

    /// Reads a document so that its canonical form is that of the text: member names are compared by their bytes, since the scheme knows no
    /// Unicode normalisation; doubled names, lone surrogates, invalid UTF-8, a byte-order mark and trailing text are refused.
    package static func parse(_ bytes: [UInt8]) throws(JSONParser.Failure) -> JSONValue {
        try JSONParser.parse(bytes, limits: JSONParser.Limits(depth: 64, values: 70_000, exactNames: true))
    }

    /// The canonical bytes; nil where the document holds a fraction, an exponent or an integer beyond `largestInteger`.
    package static func encode(_ value: JSONValue) -> [UInt8]? {
        var writer = JSONWriter()
        return write(value, to: &writer) ? writer.bytes : nil
    }

    private static func write(_ value: JSONValue, to writer: inout JSONWriter) -> Bool {
        switch value {
        case .null, .bool, .string: writer.value(value)
        case .double: return false
        case .int(let number):
            guard number.magnitude <= UInt64(largestInteger) else { return false }
            writer.value(value)
        case .array(let elements):
            writer.raw("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { writer.raw(",") }
                guard write(element, to: &writer) else { return false }
            }
            writer.raw("]")
        case .object(let object):
            let members = object.members.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
            writer.raw("{")
            for (index, member) in members.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.string(member.name)
                writer.raw(":")
                guard write(member.value, to: &writer) else { return false }
            }
            writer.raw("}")
        }
        return true
    }
}
