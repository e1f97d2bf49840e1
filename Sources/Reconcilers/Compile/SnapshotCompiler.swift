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
        /// How each AuthConfig fared, `Ready` not summed up yet: who publishes may know more.
        package var statuses: [ObjectKey: ObjectStatus]
    }

    private let settings: Settings

    package init(settings: Settings) { self.settings = settings }

    package func compile(_ inputs: [CompilerInput]) -> Output {
        let compiler = AuthConfigCompiler(
            references: ReferenceTable(inputs.compactMap(\.object), needsLabel: settings.needsLabel),
            namespaces: settings.namespaces,
            defaults: settings.defaults, reservedIssuers: Set(settings.defaults.issuers.entries.compactMap(\.issuer)),
            egress: settings.egress, reviewsTokens: settings.reviewsTokens)
        var configs: [CompiledAuthConfig] = []
        var candidates: [HostTable.Candidate] = []
        var statuses: [ObjectKey: ObjectStatus] = [:]
        var placed: [(key: ObjectKey, hosts: [HostPlace])] = []
        var sources: [ObjectKey: Set<RemoteKeySource>] = [:]
        for input in inputs.filter({ $0.key.kind == .authConfig }).sorted(by: { $0.key < $1.key }) {
            let outcome = compiler.compile(input)
            var conditions = outcome.conditions
            var places = hostPlaces(outcome.hosts, namespace: input.key.namespace, conditions: &conditions)
            if !outcome.isInForce {
                for index in places.indices where places[index].state == .linked { places[index].state = .notAllowed }
            }
            statuses[input.key] = ObjectStatus(conditions: conditions)
            placed.append((input.key, places))
            guard outcome.isInForce else { continue }
            if outcome.config.brokenReason == nil, case .authConfig(let object)? = input.object,
                !object.spec.issuers.isEmpty, !outcome.config.realm.issuers.remoteSources.isEmpty
            {
                sources[input.key] = outcome.config.realm.issuers.remoteSources
            }
            candidates.append(
                HostTable.Candidate(
                    key: outcome.config.key, createdAt: input.createdAt,
                    hosts: places.filter { $0.state == .linked }.map(\.text), broken: outcome.config.brokenReason != nil
                ))
            configs.append(outcome.config)
        }
        let hosts = HostTable(candidates)
        for (key, places) in placed {
            let name = "\(key.namespace)/\(key.name)"
            statuses[key]?.finish(places: places, conflicts: hosts.conflicts.filter { $0.loser == name })
        }
        return Output(
            hosts: hosts, authConfigs: configs, ownRealm: ownRealm(configs),
            keySources: configs.reduce(into: settings.defaults.issuers.remoteSources) {
                $0.formUnion($1.realm.issuers.remoteSources)
            },
            keySourcesByObject: sources, statuses: statuses)
    }

    /// What becomes of the entries of `spec.hosts` before other objects are looked at.
    private func hostPlaces(_ hosts: [String], namespace: String, conditions: inout Conditions) -> [HostPlace] {
        let allowed = settings.hostPolicy[namespace]
        var places: [HostPlace] = []
        var refused: [String] = []
        for text in hosts {
            guard case .success(let pattern) = HostPattern.parse(text) else {
                places.append(HostPlace(text: text, state: .invalid))
                continue
            }
            let isAllowed = allowed.map { $0.contains { HostLimit.covers($0, entry: pattern.text) } } ?? true
            places.append(HostPlace(text: pattern.text, state: isAllowed ? .linked : .notAllowed))
            if !isAllowed { refused.append(pattern.text) }
        }
        if !refused.isEmpty {
            conditions.set(
                "HostNotAllowed", .true, "OutsideHostPolicy",
                "TOLLGATE_HOST_POLICY does not give namespace \(namespace) these hosts: \(refused.joined(separator: ", "))"
            )
        }
        return places
    }

    /// The own API accepts what the settings configure and what one named AuthConfig of a platform namespace does.
    private func ownRealm(_ configs: [CompiledAuthConfig]) -> AuthenticationRealm {
        guard let name = settings.apiAuthConfig, let namespace = name.split(separator: "/").first,
            settings.namespaces.isPlatform(String(namespace)),
            let config = configs.first(where: { $0.key == name && $0.brokenReason == nil })
        else { return settings.defaults.ownRealm(beside: nil) }
        return settings.defaults.ownRealm(beside: config.realm)
    }
}
