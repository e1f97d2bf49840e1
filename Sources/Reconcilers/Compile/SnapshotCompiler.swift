// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
package import Authorization
internal import Essentials
package import ResourceModel
package import RuntimeState

/// Compiles objects into what a snapshot is made of and says how each of them fared. Pure: the same objects give the same result in any order.
package struct SnapshotCompiler: Sendable {
    /// What the settings fix.
    package struct Settings: Sendable {
        package var namespaces: NamespaceRules
        package var defaults: RealmDefaults
        /// Host patterns by namespace; a namespace that is not named is not limited.
        package var hostPolicy: [String: [String]]
        /// `namespace/name` of the AuthConfig that the own API accepts too; only of a platform namespace.
        package var apiAuthConfig: String?
        /// `TOLLGATE_EGRESS_ALLOW`: where the key sets of objects may be fetched from.
        package var egress: EgressRules
        /// Whether only Secrets and ConfigMaps with label `tollgate.dev/managed=true` are seen.
        package var needsLabel: Bool
        /// Whether there is a cluster that can be asked about tokens.
        package var reviewsTokens: Bool

        package init(
            namespaces: NamespaceRules, defaults: RealmDefaults, hostPolicy: [String: [String]], apiAuthConfig: String?,
            egress: EgressRules = .strict, needsLabel: Bool = false, reviewsTokens: Bool = false
        ) {
            self.reviewsTokens = reviewsTokens
            self.needsLabel = needsLabel
            self.egress = egress
            self.namespaces = namespaces
            self.defaults = defaults
            self.hostPolicy = hostPolicy
            self.apiAuthConfig = apiAuthConfig
        }
    }

    /// What a snapshot is made of.
    package struct Output: Sendable {
        package var hosts: HostTable
        package var authConfigs: [CompiledAuthConfig]
        package var ownRealm: AuthenticationRealm
        /// Where keys have to be fetched from.
        package var keySources: Set<RemoteKeySource>
        /// Where the keys of an AuthConfig's own issuers come from; only those that have any.
        package var keySourcesByObject: [ObjectKey: Set<RemoteKeySource>]
        /// How each AuthConfig fared, `Ready` not summed up yet: who publishes may know more. Empty where a book is asked for them one by one.
        package var statuses: [ObjectKey: ObjectStatus] = [:]
    }

    private let settings: Settings

    package init(settings: Settings) { self.settings = settings }

    package func compile(_ inputs: [CompilerInput]) -> Output {
        var book = AuthConfigBook(settings: settings)
        let objects = Dictionary(inputs.map { ($0.key, $0) }) { _, last in last }
        book.update(Set(objects.keys)) { objects[$0] }
        var output = book.output()
        output.statuses = book.statuses()
        return output
    }
}
