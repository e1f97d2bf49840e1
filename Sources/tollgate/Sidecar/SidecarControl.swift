// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Authorization
internal import Connectors
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics
internal import RuntimeState
internal import Synchronization

/// Keeps in force what the operator gives: asks, puts documents in force as a whole, and keeps the last good one while no answer comes.
final class SidecarControl: Sendable {
    /// What documents are put in force in, and with what the operator is asked.
    struct Parts: Sendable {
        var client: any UpstreamCalling
        var settings: SidecarSettings
        var tokens: ServiceTokenTable
        var keys: APIKeyTable
        var keySets: RemoteKeySets
        var snapshots: SnapshotStore
        var policy: PolicyKeeper
        /// Which credentials the own API accepts.
        var ownRealm: AuthenticationRealm
        var prefixes: TokenPrefixes
        var clock: any WallClock
        var time: any MonotonicClock
        var random: any RandomSource
        var logger: Logger
    }

    private struct State {
        var document: SidecarDocument?
        var entityTag: String?
        /// When the operator last gave or confirmed what is in force.
        var heardAt: Timestamp?
        /// Why the last question came to nothing; nil after a good answer.
        var problem: String?
    }

    private let parts: Parts
    private let cache: SidecarCacheFile?
    private let state = Mutex(State())
    private let metrics: SidecarMetrics

    init(_ parts: Parts, metricsFactory: any MetricsFactory) {
        self.parts = parts
        cache = parts.settings.cache.map {
            SidecarCacheFile(
                path: $0, upstream: "\(parts.settings.upstream)", authConfigs: parts.settings.authConfigs)
        }
        metrics = SidecarMetrics(factory: metricsFactory)
    }

    /// Puts in force what the last run kept.
    func start() {
        guard let cache else { return }
        do {
            guard let kept = try cache.load(now: parts.clock.now()) else { return }
            try put(try SidecarDocument(bytes: kept.bytes), entityTag: kept.entityTag, heardAt: kept.heardAt)
            parts.logger.notice(
                "the document of the last run is in force until the operator answers",
                metadata: [LogKeys.file: "\(cache.path)", "heard_at": "\(kept.heardAt.rfc3339)"])
        } catch {
            parts.logger.warning(
                "the document of the last run is not used", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// Asks the operator until it is cancelled.
    func run() async {
        var machine = UpstreamPollStateMachine()
        while !Task.isCancelled {
            let event = await ask()
            let jitter = parts.random.bytes(2).reduce(0.0) { ($0 + Double($1)) / 256 }
            do { try await parts.time.pause(for: machine.next(after: event, jitter: jitter)) } catch { break }
        }
    }

    /// One question and what follows from it.
    func ask() async -> UpstreamPollStateMachine.Event {
        let began = parts.time.now()
        do throws(UpstreamError) {
            let answer = try await parts.client.snapshot(
                of: parts.settings.authConfigs, entityTag: state.withLock(\.entityTag))
            switch answer {
            case .unchanged:
                confirm()
                return .unchanged(after: parts.time.now() - began)
            case .document(let bytes, let tag): return take(bytes, entityTag: tag)
            }
        } catch {
            if Task.isCancelled { return .failed }
            if error.refusal == ErrorCode.authNoConfig.rawValue { withdraw() }
            report(error.message)
            metrics.polled(error.code == .refused ? .refused : .failed)
            return error.code == .refused ? .refused : .failed
        }
    }

    /// What `/readyz` says of the operator. While something is in force it is no reason not to be ready: the age of the snapshot is.
    func check() -> ReadinessCheck {
        let (isThere, problem, heardAt) = state.withLock { ($0.document != nil, $0.problem, $0.heardAt) }
        guard isThere else {
            return ReadinessCheck(name: "upstream", status: .failed, detail: problem ?? "no answer yet")
        }
        guard let problem else { return ReadinessCheck(name: "upstream", status: .ok) }
        let age = heardAt.map { "\(parts.clock.now().seconds - $0.seconds) s without a word; " } ?? ""
        return ReadinessCheck(name: "upstream", status: .degraded, detail: age + problem)
    }

    /// Records how long ago the operator was heard; to be called before metrics are read.
    func recordAge() {
        guard let heardAt = state.withLock(\.heardAt) else { return }
        metrics.record(ageMicroseconds: parts.clock.now().microseconds - heardAt.microseconds)
    }

    // MARK: Answers

    private func take(_ bytes: [UInt8], entityTag: String) -> UpstreamPollStateMachine.Event {
        let now = parts.clock.now()
        do {
            try put(try SidecarDocument(bytes: bytes), entityTag: entityTag, heardAt: now)
        } catch {
            // Kept: what was good before. The tag stays too, so that the next question brings the document again.
            report("the document of the operator cannot be used: \(error)")
            metrics.polled(.failed)
            return .failed
        }
        metrics.polled(.changed)
        recovered()
        do {
            try cache?.save(bytes, entityTag: entityTag, at: now)
        } catch {
            parts.logger.warning("the document cannot be kept", metadata: [LogKeys.error: "\(error)"])
        }
        return .document
    }

    private func confirm() {
        let now = parts.clock.now()
        let (document, tag) = state.withLock { ($0.document, $0.entityTag) }
        guard let document, let tag else { return }
        hear(at: now)
        publish(document, at: now)
        metrics.polled(.unchanged)
        recovered()
        do {
            try cache?.heard(of: tag, at: now)
        } catch {
            parts.logger.warning("the document cannot be kept", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// None of the AuthConfigs is in force any more: their hosts are nobody's.
    private func withdraw() {
        let now = parts.clock.now()
        guard var document = state.withLock(\.document), !document.entries.isEmpty else { return }
        document.entries = []
        document.hostsElsewhere = []
        state.withLock { state in
            state.document = document
            state.entityTag = nil
        }
        publish(document, at: now)
        do {
            try cache?.remove()
        } catch {
            parts.logger.warning("the kept document cannot be removed", metadata: [LogKeys.error: "\(error)"])
        }
        parts.logger.warning("the operator has no such AuthConfig any more; its hosts are closed")
    }

    // MARK: In force

    /// Puts a document in force as a whole: credentials first, so that what was revoked is refused before anything else changes.
    private func put(_ document: SidecarDocument, entityTag: String, heardAt: Timestamp) throws {
        let own = [parts.prefixes.apiKey] + parts.prefixes.oldAPIKeys
        if let other = document.shared.apiKeyPrefixes.first(where: { !own.contains($0) }) {
            throw StartupProblem(
                "API keys of the operator begin with \(other): set TOLLGATE_API_KEY_PREFIX or TOLLGATE_API_KEY_OLD_PREFIXES as it does"
            )
        }
        parts.tokens.replace(with: document.shared.tokens)
        parts.keys.replace(with: document.shared.keys, owners: document.shared.owners)
        parts.keySets.use(
            document.entries.reduce(into: Set<RemoteKeySource>()) {
                $0.formUnion($1.config.realm.issuers.remoteSources)
            }.union(parts.ownRealm.issuers.remoteSources))
        parts.policy.adopt(
            document.shared.policy,
            from: PolicyOrigin(
                kind: .upstream, location: "\(parts.settings.upstream)",
                readOnlyReason: "The policy data is the operator's: change it there"))
        parts.snapshots.replace(shares: document.shared.shares)
        state.withLock { state in
            state.document = document
            state.entityTag = entityTag
        }
        hear(at: heardAt)
        publish(document, at: heardAt)
    }

    private func publish(_ document: SidecarDocument, at heardAt: Timestamp) {
        let hosts = HostTable(
            document.entries.map {
                HostTable.Candidate(
                    key: $0.config.key, createdAt: heardAt, hosts: $0.hosts, broken: $0.config.brokenReason != nil)
            }, elsewhere: document.hostsElsewhere)
        let snapshot = parts.snapshots.publish { generation in
            RuntimeSnapshot(
                generation: generation, builtAt: heardAt, hosts: hosts, authConfigs: document.entries.map(\.config),
                policy: document.shared.policy, ownRealm: parts.ownRealm, shares: document.shared.shares,
                accounts: document.shared.accounts, resources: document.entries.map(Self.view))
        }
        parts.logger.debug("snapshot published", metadata: [LogKeys.generation: "\(snapshot.generation)"])
    }

    private static func view(_ entry: SidecarDocument.Entry) -> ResourceView {
        let name = entry.config.key.split(separator: "/").map(String.init)
        let (namespace, object) = (name.first ?? "", name.last ?? "")
        return ResourceView(
            kind: "AuthConfig", namespace: namespace, name: object,
            json: [
                "apiVersion": "tollgate.dev/v1alpha1", "kind": "AuthConfig",
                "metadata": ["name": .string(object), "namespace": .string(namespace)],
                "status": [
                    "hosts": .array(entry.hosts.map { ["host": .string($0), "state": "linked"] }),
                    "conditions": [
                        [
                            "type": "Ready", "status": entry.config.brokenReason == nil ? "True" : "False",
                            "reason": entry.config.brokenReason == nil ? "Ready" : "Invalid",
                            "message": .string(entry.config.brokenReason ?? ""),
                        ]
                    ],
                ], "source": .null,
            ])
    }

    /// Stored credentials are believed for as long after a word from the operator as the setting says, not for as long as after a word from a
    /// store.
    private func hear(at instant: Timestamp) {
        state.withLock { $0.heardAt = instant }
        let shifted = instant.adding(
            seconds: parts.settings.maxSilence.wholeSeconds - ServiceTokenTable.freshForSeconds)
        parts.tokens.heard(at: shifted)
        parts.keys.heard(at: shifted)
    }

    private func report(_ problem: String) {
        let isNew = state.withLock { state in
            defer { state.problem = problem }
            return state.problem != problem
        }
        parts.logger.log(
            level: isNew ? .warning : .debug, "the operator did not give a document",
            metadata: [LogKeys.error: "\(problem)"])
    }

    private func recovered() {
        let wasAway = state.withLock { state in
            defer { state.problem = nil }
            return state.problem != nil
        }
        if wasAway { parts.logger.notice("the operator answers again") }
    }
}
