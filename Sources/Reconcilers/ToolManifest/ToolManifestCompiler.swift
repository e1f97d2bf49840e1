// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel
package import ToolTrust

/// Judges ToolManifests. The same objects, keys, executables and earlier statuses give the same result in any order.
package struct ToolManifestCompiler: Sendable {
    /// What is fixed for the life of the process.
    package struct Settings: Sendable {
        /// The keys of the settings; those of Secrets are added in each pass.
        package var keys: [ToolKeyRecord]
        package var rules: ToolRules
        /// The namespace whose Secrets may hold keys.
        package var ownNamespace: String
        /// Whether such a Secret must carry `tollgate.dev/managed` as well.
        package var needsLabel: Bool
        package var namespaces: NamespaceRules

        package init(
            keys: [ToolKeyRecord], rules: ToolRules, ownNamespace: String, needsLabel: Bool = false,
            namespaces: NamespaceRules
        ) {
            self.keys = keys
            self.rules = rules
            self.ownNamespace = ownNamespace
            self.needsLabel = needsLabel
            self.namespaces = namespaces
        }
    }

    /// What became of all ToolManifests.
    package struct Output: Sendable {
        /// How each object fared; `Ready` is among the conditions.
        package var statuses: [ObjectKey: ObjectStatus]
        /// Why keys were left out.
        package var problems: [String]
        /// Which Secrets hold a key whose id another key has, too, and the ids, in order.
        package var conflicts: [ObjectKey: [String]]
        /// When a key begins or ends to count next; nil = never.
        package var dueAt: Timestamp?
    }

    package var settings: Settings
    private let executables: any ToolExecutableLooking
    private let verdicts = SignatureVerdicts()

    package init(settings: Settings, executables: any ToolExecutableLooking) {
        self.settings = settings
        self.executables = executables
    }

    /// Whether an executable that was looked at may be another by now.
    func executablesHaveChanged() -> Bool { executables.haveChanged() }

    /// A tool as it is told from others: the same id may be there for several tenants.
    private struct Tool: Hashable {
        var tenant: String?
        var id: String
    }

    /// An object whose manifest has the shape of one.
    private struct Candidate {
        var input: CompilerInput
        var spec: ToolManifestSpec
        var manifest: ToolTrust.ToolManifest
        var name: String { "\(input.key.namespace)/\(input.key.name)" }
    }

    /// - Parameter earlier: the statuses of the last pass: they remember which version of a tool was good before.
    package func compile(_ inputs: [CompilerInput], earlier: [ObjectKey: JSONValue], now: Timestamp) -> Output {
        let secrets = ToolKeySecrets(
            inputs, namespace: settings.ownNamespace, needsLabel: settings.needsLabel)
        let keys = TrustedToolKeys(settings.keys + secrets.records)
        let verifier = ToolVerifier(keys: keys, rules: settings.rules, verdicts: verdicts)
        var statuses: [ObjectKey: ObjectStatus] = [:]
        var candidates: [Candidate] = []
        let own = inputs.filter { $0.key.kind == .toolManifest }
        for input in own {
            switch Self.candidate(input) {
            case .success(let candidate): candidates.append(candidate)
            case .failure(let refused):
                statuses[input.key] = ToolManifestEntry.invalid(refused.message, earlier: earlier[input.key])
            }
        }
        // The older object has the tool, of equally old ones the one that comes first by name.
        candidates.sort { ($0.input.createdAt, $0.name) < ($1.input.createdAt, $1.name) }
        let highest = highestVersions(own, earlier: earlier)
        var holders: [Tool: String] = [:]
        for candidate in candidates {
            let tool = tool(candidate.manifest.toolID, namespace: candidate.input.key.namespace)
            let holder = holders[tool]
            if holder == nil { holders[tool] = candidate.name }
            let manifest = candidate.manifest
            let path = candidate.spec.executable ?? "\(manifest.toolID)/\(manifest.version)"
            let entry = ToolManifestEntry(
                manifest, isSuspended: candidate.spec.suspend, executable: executables.look(at: path), path: path,
                holder: holder, highest: highest[tool], verifier: verifier, now: now)
            var status = entry.status(earlier: earlier[candidate.input.key], now: now)
            Self.noteProblems(candidate.input, &status.conditions)
            statuses[candidate.input.key] = status
        }
        return Output(
            statuses: statuses, problems: secrets.problems + Self.problems(keys),
            conflicts: Self.conflicts(keys, in: secrets), dueAt: Self.next(keys, after: now))
    }

    private struct Refused: Error {
        var message: String
    }

    private static func candidate(_ input: CompilerInput) -> Result<Candidate, Refused> {
        guard case .toolManifest(let object)? = input.object else {
            let problems = input.problems.isEmpty ? ["it was never valid"] : input.problems
            return .failure(Refused(message: problems.joined(separator: "; ")))
        }
        do throws(Refusal) {
            let manifest = try ToolTrust.ToolManifest(document: object.spec.manifest)
            return .success(Candidate(input: input, spec: object.spec, manifest: manifest))
        } catch {
            return .failure(Refused(message: "spec.manifest: \(error.message)"))
        }
    }

    private func tool(_ id: String, namespace: String) -> Tool {
        Tool(tenant: settings.namespaces.toolTenant(namespace), id: id)
    }

    /// The highest version of each tool that was good before, as the statuses of the objects that are there remember it.
    private func highestVersions(
        _ inputs: [CompilerInput], earlier: [ObjectKey: JSONValue]
    ) -> [Tool: ToolManifestEntry.Remembered] {
        var result: [Tool: ToolManifestEntry.Remembered] = [:]
        for input in inputs {
            guard let remembered = ToolManifestEntry.Remembered(earlier[input.key]) else { continue }
            let tool = tool(remembered.toolID, namespace: input.key.namespace)
            if let known = result[tool], !known.version.precedes(remembered.version) { continue }
            result[tool] = remembered
        }
        return result
    }

    private static func next(_ keys: TrustedToolKeys, after now: Timestamp) -> Timestamp? {
        keys.records.flatMap { [$0.notBefore, $0.expiresAt, $0.revokedAt] }.compactMap(\.self).filter { $0 > now }.min()
    }

    private static func problems(_ keys: TrustedToolKeys) -> [String] {
        keys.conflicting.map { "tool key \($0) stands for two different keys: neither is used" }
            + keys.surplus.map { "tool key \($0) is not used: at most \(TrustedToolKeys.most) are" }
    }

    private static func conflicts(_ keys: TrustedToolKeys, in secrets: ToolKeySecrets) -> [ObjectKey: [String]] {
        var result: [ObjectKey: [String]] = [:]
        for id in keys.conflicting {
            for secret in secrets.places[id] ?? [] { result[secret, default: []].append(id) }
        }
        return result
    }

    private static func noteProblems(_ input: CompilerInput, _ conditions: inout Conditions) {
        guard !input.problems.isEmpty else { return }
        conditions.set(
            "Invalid", .true, "InvalidSpec",
            "the last good state is in force: \(input.problems.joined(separator: "; "))")
    }
}
