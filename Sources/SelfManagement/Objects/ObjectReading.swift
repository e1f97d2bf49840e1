// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// What reading any object of the cluster needs.
extension JSONValue {
    /// The member at the end of a path of names.
    func at(_ path: String...) -> JSONValue? {
        var value = self
        for name in path {
            guard let next = value[name] else { return nil }
            value = next
        }
        return value
    }

    /// The instant that a text says; nil when it says none.
    var timestampValue: Timestamp? { stringValue.flatMap { Timestamp(rfc3339: $0) } }

    /// A number that is left out where it is nought.
    var countValue: Int { Int(clamping: intValue ?? 0) }

    /// The texts of an object of texts.
    var textsValue: [String: String] {
        Dictionary(
            (objectValue?.members ?? []).compactMap { member in member.value.stringValue.map { (member.name, $0) } },
            uniquingKeysWith: { $1 })
    }
}
