// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import ResourceModel

/// What AuthConfigs say of the key sets that they have fetched.
enum KeyAvailability {
    /// Says of each AuthConfig with fetched key sets whether they are there. Nothing that changes with time alone is said.
    static func note(
        _ sources: [ObjectKey: Set<RemoteKeySource>], sets keySets: RemoteKeySets,
        statuses: inout [ObjectKey: ObjectStatus]
    ) {
        guard !sources.isEmpty else { return }
        // Few are absent at a time, however many there are.
        let unusable = keySets.status().filter { !$0.isUsable }
        for (key, wanted) in sources {
            let absent = unusable.filter { wanted.contains($0.source) }
            let failed = absent.filter { $0.lastError != nil }
            if absent.isEmpty {
                statuses[key]?.conditions.set("KeysAvailable", .true, "Fetched")
            } else if failed.isEmpty {
                statuses[key]?.conditions.set("KeysAvailable", .unknown, "Fetching", "not there yet: \(names(absent))")
            } else {
                statuses[key]?.conditions.set(
                    "KeysAvailable", .false, "FetchFailed",
                    failed.map { "\($0.source.label): \($0.lastError ?? "")" }.joined(separator: "; "))
            }
        }
    }

    private static func names(_ sets: [KeySetStatus]) -> String { sets.map(\.source.label).joined(separator: ", ") }
}
