// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The patterns of `TOLLGATE_HOST_POLICY`.
enum HostLimit {
    /// Whether a pattern (`api.example.com`, `*.example.com` or `*`) gives an entry of `spec.hosts`: the entry must not reach further than it.
    static func covers(_ pattern: String, entry: String) -> Bool {
        if pattern == "*" || pattern == entry { return true }
        guard pattern.hasPrefix("*.") else { return false }
        return entry != "*" && entry.hasSuffix(pattern.dropFirst())
    }
}
