// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import ResourceModel
internal import RuntimeState

/// AuthConfigs compiled one by one: only what changed, and what refers to something that changed, is compiled again.
///
/// What it comes to depends on the objects alone, never on the order or the number of the updates that brought them.
struct AuthConfigBook {
    /// One AuthConfig.
    private struct Entry {
        var generation: Int64
        var outcome: AuthConfigCompiler.Outcome
        var candidate: HostTable.Candidate?
        var places: [HostPlace]
        var references: [ObjectKey]
        /// Where the keys of its own issuers come from.
        var keySources: Set<RemoteKeySource>
        /// Where keys that are good here come from.
        var allSources: Set<RemoteKeySource>

        /// Whether the other one takes the same part among all objects: what they come to differs in this object alone.
        func hasPlace(of other: Entry) -> Bool {
            candidate?.key == other.candidate?.key && candidate?.createdAt == other.candidate?.createdAt
                && candidate?.hosts == other.candidate?.hosts && candidate?.broken == other.candidate?.broken
                && keySources == other.keySources && allSources == other.allSources
        }
    }

    private let settings: SnapshotCompiler.Settings
    private var entries: [ObjectKey: Entry] = [:]
    private var order: [ObjectKey] = []
    private var isOrdered = true
    private var referrers: [ObjectKey: Set<ObjectKey>] = [:]
    /// The conflicts of the last output, by the object (`namespace/name`) that lost.
    private var conflicts: [String: [HostTable.Conflict]] = [:]
    /// Objects whose status may not be what it was when it was asked for last; those that are gone are among them.
    private var unsaid: Set<ObjectKey> = []
    /// The last output, and where each object stands in it; nil when it is to be made anew.
    private var last: SnapshotCompiler.Output?
    private var positions: [ObjectKey: Int] = [:]
    /// What was compiled anew since, and has the place in the last output that it had.
    private var replaced: Set<ObjectKey> = []

    init(settings: SnapshotCompiler.Settings) { self.settings = settings }

    /// Which namespaces may say what in this book.
    var namespaces: NamespaceRules { settings.namespaces }

    /// The generation of the AuthConfig that is in the book.
    func generation(of key: ObjectKey) -> Int64? { entries[key]?.generation }

    /// Names of the plans that an AuthConfig requires.
    func requiredPlans(of key: ObjectKey) -> Set<String> { entries[key]?.outcome.config.requiredPlans ?? [] }

    /// The AuthConfigs that require plans.
    var requiringPlans: Set<ObjectKey> { Set(entries.keys.filter { !requiredPlans(of: $0).isEmpty }) }

    /// Takes in changes.
    ///
    /// - Parameters:
    ///   - changed: the keys of objects that came, went or are not as they were; such of other kinds are passed over.
    ///   - find: gives the object that is there now.
    /// - Returns: whether `output()` may have changed.
    @discardableResult
    mutating func update(_ changed: Set<ObjectKey>, find: (ObjectKey) -> CompilerInput?) -> Bool {
        var affected: Set<ObjectKey> = []
        for key in changed {
            switch key.kind {
            case .authConfig: affected.insert(key)
            case .secret, .configMap: affected.formUnion(referrers[key] ?? [])
            default: break
            }
        }
        guard !affected.isEmpty else { return false }
        unsaid.formUnion(affected)
        withoutActuallyEscaping(find) { find in
            let compiler = AuthConfigCompiler(
                references: ReferenceTable(needsLabel: settings.needsLabel) { find($0)?.object },
                namespaces: settings.namespaces, defaults: settings.defaults,
                reservedIssuers: Set(settings.defaults.issuers.entries.compactMap(\.issuer)), egress: settings.egress,
                reviewsTokens: settings.reviewsTokens)
            for key in affected {
                let before = forget(key)
                let input = find(key)
                if let input { add(input, compiler: compiler) }
                if (before != nil) != (input != nil) { isOrdered = false }
                if let before, let after = entries[key], after.hasPlace(of: before) {
                    replaced.insert(key)
                } else {
                    last = nil
                }
            }
        }
        return true
    }

    /// - Returns: what was there.
    private mutating func forget(_ key: ObjectKey) -> Entry? {
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        for reference in entry.references {
            referrers[reference]?.remove(key)
            if referrers[reference]?.isEmpty == true { referrers[reference] = nil }
        }
        return entry
    }

    private mutating func add(_ input: CompilerInput, compiler: AuthConfigCompiler) {
        var outcome = compiler.compile(input)
        var places = hostPlaces(outcome.hosts, namespace: input.key.namespace, conditions: &outcome.conditions)
        if !outcome.isInForce {
            for index in places.indices where places[index].state == .linked { places[index].state = .notAllowed }
        }
        var entry = Entry(
            generation: input.generation, outcome: outcome, places: places, references: [], keySources: [],
            allSources: [])
        if outcome.isInForce {
            entry.candidate = HostTable.Candidate(
                key: outcome.config.key, createdAt: input.createdAt,
                hosts: places.filter { $0.state == .linked }.map(\.text), broken: outcome.config.brokenReason != nil)
            entry.allSources = outcome.config.realm.issuers.remoteSources
        }
        if case .authConfig(let object)? = input.object {
            entry.references = ReferenceTable.references(of: object.spec, namespace: input.key.namespace)
            if outcome.isInForce, outcome.config.brokenReason == nil, !object.spec.issuers.isEmpty {
                entry.keySources = outcome.config.realm.issuers.remoteSources
            }
        }
        for reference in entry.references { referrers[reference, default: []].insert(input.key) }
        entries[input.key] = entry
    }

    /// What a snapshot is made of.
    mutating func output() -> SnapshotCompiler.Output {
        let output = renewed() ?? made()
        replaced = []
        last = output
        return output
    }

    /// The last output with what was compiled anew; nil where objects have come, gone or taken another place.
    private mutating func renewed() -> SnapshotCompiler.Output? {
        guard var output = last else { return nil }
        last = nil
        for key in replaced {
            guard let position = positions[key], let entry = entries[key] else { continue }
            output.authConfigs[position] = entry.outcome.config
        }
        output.ownRealm = ownRealm(output.authConfigs)
        return output
    }

    private mutating func made() -> SnapshotCompiler.Output {
        if !isOrdered {
            order = entries.keys.sorted()
            isOrdered = true
        }
        var configs: [CompiledAuthConfig] = []
        var candidates: [HostTable.Candidate] = []
        var sources: [ObjectKey: Set<RemoteKeySource>] = [:]
        var allSources = settings.defaults.issuers.remoteSources
        positions = Dictionary(minimumCapacity: order.count)
        for key in order {
            guard let entry = entries[key], let candidate = entry.candidate else { continue }
            positions[key] = configs.count
            candidates.append(candidate)
            configs.append(entry.outcome.config)
            if !entry.keySources.isEmpty { sources[key] = entry.keySources }
            if !entry.allSources.isEmpty { allSources.formUnion(entry.allSources) }
        }
        let hosts = HostTable(candidates)
        note(hosts.conflicts)
        return SnapshotCompiler.Output(
            hosts: hosts, authConfigs: configs, ownRealm: ownRealm(configs), keySources: allSources,
            keySourcesByObject: sources)
    }

    /// Takes up who lost a host to whom; who did not say so before, or said something else, has something to say.
    private mutating func note(_ new: [HostTable.Conflict]) {
        guard !new.isEmpty || !conflicts.isEmpty else { return }
        let byLoser = Dictionary(grouping: new, by: \.loser)
        for loser in Set(byLoser.keys).union(conflicts.keys) where byLoser[loser] != conflicts[loser] {
            let parts = loser.split(separator: "/", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            unsaid.insert(ObjectKey(kind: .authConfig, namespace: parts[0], name: parts[1]))
        }
        conflicts = byLoser
    }

    /// The objects whose status may have changed since this was asked for last; those that are gone are among them.
    mutating func takeUnsaid() -> Set<ObjectKey> {
        defer { unsaid = [] }
        return unsaid
    }

    /// How each object fared, as of the last output.
    func statuses() -> [ObjectKey: ObjectStatus] {
        var statuses: [ObjectKey: ObjectStatus] = Dictionary(minimumCapacity: entries.count)
        for key in entries.keys { statuses[key] = status(of: key) }
        return statuses
    }

    /// How an object fared, as of the last output; nil when it is not there.
    func status(of key: ObjectKey) -> ObjectStatus? {
        guard let entry = entries[key] else { return nil }
        var status = ObjectStatus(conditions: entry.outcome.conditions)
        status.finish(
            places: entry.places, conflicts: conflicts.isEmpty ? [] : conflicts["\(key.namespace)/\(key.name)"] ?? [])
        return status
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
