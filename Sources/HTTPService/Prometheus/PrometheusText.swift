// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a family of series is.
package enum PrometheusKind: String, Sendable {
    case counter, gauge, histogram
}

/// Writes the lines of the text format.
package struct PrometheusText: Sendable {
    /// What was written so far, as UTF-8.
    package private(set) var bytes: [UInt8] = []

    /// Starts an empty text.
    package init() { bytes.reserveCapacity(16 * 1024) }

    /// Writes the line that opens a family.
    package mutating func family(_ name: String, kind: PrometheusKind) {
        append("# TYPE \(name) \(kind.rawValue)\n")
    }

    /// Writes one sample with labels that are written already.
    package mutating func sample(_ name: String, labels: String, value: String) {
        append(labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// A name in which every character that Prometheus does not allow is `_`.
    package static func metricName(_ label: String) -> String {
        var bytes = label.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                return byte
            default: return UInt8(ascii: "_")
            }
        }
        if bytes.isEmpty || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[0]) {
            bytes.insert(UInt8(ascii: "_"), at: 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The labels between the braces, in the order given, with values escaped.
    package static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\(metricName($0.0))=\"\(escaped($0.1))\"" }.joined(separator: ",")
    }

    /// A label value with `\`, `"` and line feeds escaped.
    package static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A number as Prometheus reads it: without a fraction where it has none.
    package static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return value.description
    }
}
