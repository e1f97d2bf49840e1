// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// One entry of `spec.hosts`, normalised: an exact name, `*.suffix` for one or more labels in front of the suffix, or `*`.
package enum HostPattern: Sendable, Hashable {
    case exact(String)
    /// The text after `*.`.
    case suffix(String)
    case any

    /// Why an entry cannot be normalised.
    package enum Fault: String, Error, Sendable {
        case empty = "is empty"
        case misplacedWildcard = "has * elsewhere than alone or as the first label"
        case notAHost = "is not a host name"
    }

    /// Lower-cases and drops a path, a port and a trailing dot.
    package static func parse(_ entry: String) -> Result<HostPattern, Fault> {
        let text = String(entry.prefix { $0 != "/" })
        if text.isEmpty { return .failure(.empty) }
        if text == "*" { return .success(.any) }
        if text.hasPrefix("*.") {
            let suffix = String(text.dropFirst(2))
            if suffix.contains("*") { return .failure(.misplacedWildcard) }
            guard let host = RequestNormalizer.host(suffix), !host.hasPrefix("[") else { return .failure(.notAHost) }
            return .success(.suffix(host))
        }
        if text.contains("*") { return .failure(.misplacedWildcard) }
        return RequestNormalizer.host(text).map { .success(.exact($0)) } ?? .failure(.notAHost)
    }

    /// The entry as it stands after normalisation.
    package var text: String {
        switch self {
        case .exact(let host): host
        case .suffix(let suffix): "*." + suffix
        case .any: "*"
        }
    }
}
