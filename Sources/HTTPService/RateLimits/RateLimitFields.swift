// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Pipeline

extension HTTPFields {
    private static let limitNames = Dictionary(
        uniqueKeysWithValues: RateLimitReport.headerNames.compactMap { text in
            HTTPField.Name(text).map { (text, $0) }
        })

    /// Adds every header about request limits.
    mutating func append(_ limits: RateLimitReport) {
        reserveCapacity(count + Self.limitNames.count)
        limits.eachHeader { name, value in
            guard let name = Self.limitNames[name] else { return }
            append(HTTPField(name: name, value: value))
        }
    }
}

extension JSONWriter {
    /// The elements of `limits` of a decision.
    mutating func windows(_ report: RateLimitReport) {
        for (index, window) in report.windows.enumerated() {
            if index > 0 { raw(",") }
            raw(#"{"window":""#)
            raw(window.name.rawValue.utf8)
            raw(#"","limit":"#)
            integer(window.limit)
            raw(#","remaining":"#)
            integer(window.remaining)
            raw(#","reset":"#)
            integer(window.reset)
            raw("}")
        }
    }
}
