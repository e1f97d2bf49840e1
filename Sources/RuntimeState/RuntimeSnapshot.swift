// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
package import Billing
package import Essentials

/// Everything that a decision reads, compiled and immutable. A request uses one snapshot from start to end.
package final class RuntimeSnapshot: Sendable {
    /// Counts up by one with every publication of a process.
    package let generation: UInt64
    /// When it was compiled.
    package let builtAt: Timestamp
    /// Which AuthConfig covers a host: indices into `authConfigs`.
    package let hosts: HostTable
    package let authConfigs: [CompiledAuthConfig]
    /// Roles and the shipped routes.
    package let policy: CompiledPolicy
    /// Which credentials Tollgate's own API accepts.
    package let ownRealm: AuthenticationRealm
    /// The accepted shares between projects.
    package let shares: ShareTable
    /// Plan and limits of every account.
    package let accounts: AccountTable
    /// What `GET /v1/resources` shows, sorted by kind, namespace and name.
    package let resources: [ResourceView]

    package init(
        generation: UInt64, builtAt: Timestamp, hosts: HostTable, authConfigs: [CompiledAuthConfig],
        policy: CompiledPolicy, ownRealm: AuthenticationRealm, shares: ShareTable = .empty,
        accounts: AccountTable = .empty, resources: [ResourceView]
    ) {
        self.generation = generation
        self.builtAt = builtAt
        self.hosts = hosts
        self.authConfigs = authConfigs
        self.policy = policy
        self.ownRealm = ownRealm
        self.shares = shares
        self.accounts = accounts
        self.resources = resources
    }

    /// This snapshot with other policy data or shares, as a generation of its own.
    package func replacing(
        policy: CompiledPolicy? = nil, shares: ShareTable? = nil, generation: UInt64
    ) -> RuntimeSnapshot {
        RuntimeSnapshot(
            generation: generation, builtAt: builtAt, hosts: hosts, authConfigs: authConfigs,
            policy: policy ?? self.policy, ownRealm: ownRealm, shares: shares ?? self.shares, accounts: accounts,
            resources: resources)
    }
}
