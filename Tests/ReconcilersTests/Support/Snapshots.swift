// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Essentials
internal import RuntimeState

/// Snapshots that hold nothing but policy data.
enum Snapshots {
    static func empty(policy: CompiledPolicy, generation: UInt64) -> RuntimeSnapshot {
        RuntimeSnapshot(
            generation: generation, builtAt: Timestamp(seconds: 0), hosts: HostTable([]), authConfigs: [],
            policy: policy, ownRealm: AuthenticationRealm(mode: .required), resources: [])
    }
}
