// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel
internal import Synchronization

/// What a look at the own Deployment came to.
package struct EnsureReport: Sendable, Hashable {
    package var mode: SelfSettings.DeploymentMode
    /// Owned fields that were not as they shall be.
    package var drift: [String] = []
    package var repaired = false
    /// Fields of the template that others hold, and which are therefore left as they are.
    package var foreign: [String] = []

    package init(mode: SelfSettings.DeploymentMode) { self.mode = mode }

    package var json: JSONObject {
        [
            "mode": .string(mode.rawValue), "drift": .strings(drift), "repaired": .bool(repaired),
            "foreign": .strings(foreign),
        ]
    }
}

/// Keeps the fields of the own Deployment that are Tollgate's, and makes it again in mode `own`.
package struct DeploymentKeeper: Sendable {
    /// How often a write is tried that others were faster than: while a rollout runs the status changes all the time.
    private static let tries = 8

    let api: any KubernetesAPI
    let objects: OwnObjects
    let mode: SelfSettings.DeploymentMode
    let journal: SelfJournal
    private let foreign = ForeignMemory()
    let removal = RemovalMemory()

    /// - Parameter api: writes only while this replica leads.
    package init(
        api: any KubernetesAPI, objects: OwnObjects, mode: SelfSettings.DeploymentMode, journal: SelfJournal
    ) {
        self.api = api
        self.objects = objects
        self.mode = mode
        self.journal = journal
    }

    /// Looks whether the owned fields are as they shall be, and repairs what is not.
    package func ensure(_ memory: HealingMemory) async throws(Refusal) -> EnsureReport {
        var report = EnsureReport(mode: mode)
        guard mode != .off, let reference = objects.info.deploymentReference else { return report }
        guard let present = objects.deployment else {
            guard mode == .own, objects.isFilled else { return report }
            return try await make(reference, memory)
        }
        // Where only an annotation is ours, the watch shows whether it is as it was written.
        if mode == .adopt, present.memory == (memory.isEmpty ? nil : memory.text) { return report }
        let look: Look?
        do throws(KubernetesError) {
            look = try await self.look(reference, memory)
        } catch {
            throw Self.refusal(error)
        }
        guard let look else { return report }
        report.foreign = look.foreign
        report.drift = look.drift.map(\.path)
        if !look.drift.isEmpty { report.repaired = try await repair(look) }
        return report
    }

    /// The Deployment as it is, and where it is not as it shall be.
    private struct Look {
        var fields: OwnedFields
        var present: OwnDeployment
        var drift: [FieldDrift]
        var foreign: [String]
    }

    private func look(
        _ reference: APIObjectReference, _ memory: HealingMemory
    ) async throws(KubernetesError) -> Look? {
        for _ in 1..<Self.tries {
            do throws(KubernetesError) {
                return try await lookOnce(reference, memory)
            } catch {
                // It changed between the two questions: what was asked first says nothing about the second.
                guard error.code == .conflict else { throw error }
            }
        }
        return try await lookOnce(reference, memory)
    }

    private func lookOnce(
        _ reference: APIObjectReference, _ memory: HealingMemory
    ) async throws(KubernetesError) -> Look? {
        let live = try await api.get(reference, subresource: nil)
        guard let present = OwnDeployment(live) else { return nil }
        objects.note(live)
        try await keepRemoval(present.isRemoved, of: reference)
        let fields = try await fields(reference, live, memory)
        guard fields.template != nil || !memory.isEmpty || present.memory != nil else { return nil }
        let (wanted, left) = try await dryRun(fields, present)
        return Look(
            fields: fields, present: present, drift: FieldDrift.between(live, and: wanted), foreign: left)
    }

    private func repair(_ look: Look) async throws(Refusal) -> Bool {
        func values(_ value: (FieldDrift) -> JSONValue) -> JSONValue {
            .object(JSONObject(look.drift.prefix(24).map { ($0.path, value($0)) }))
        }
        let act = SelfAct(
            .ensure, on: look.fields.deployment.auditName, before: values(\.before), after: values(\.after),
            reason: "fields were changed: \(look.drift.prefix(8).map(\.path).joined(separator: ", "))")
        return try await journal.act(act) { () async throws(Refusal) in
            do throws(KubernetesError) {
                try await write(look)
                return (true, .ok, "repaired")
            } catch {
                throw Self.refusal(error)
            }
        }
    }

    /// Applies the fields to the very state that was looked at: what others changed since is looked at again.
    private func write(_ first: Look) async throws(KubernetesError) {
        var look = first
        for attempt in 1...Self.tries {
            do throws(KubernetesError) {
                let document = ForeignFields.removing(
                    foreign.paths,
                    from: look.fields.document(
                        uid: look.present.uid, resourceVersion: look.present.resourceVersion))
                objects.note(
                    try await apply(document, to: look.fields.deployment, force: mayForce(look.fields)))
                return
            } catch {
                guard error.code == .conflict, attempt < Self.tries else { throw error }
            }
            // The status changes all the time while pods come and go.
            guard let again = try await self.look(look.fields.deployment, look.fields.memory), !again.drift.isEmpty
            else { return }
            look = again
        }
    }

    /// Writes the memory, and the mark of a restart where one is begun.
    ///
    /// - Parameter expecting: what the annotation said when the memory was read; somebody else's memory is never overwritten.
    package func save(
        _ memory: HealingMemory, expecting: String?, restartedAt: String? = nil
    ) async throws(KubernetesError) {
        guard let reference = objects.info.deploymentReference else {
            throw KubernetesError(.notFound, message: "there is no own Deployment")
        }
        var last = KubernetesError(.conflict, message: "the Deployment changes all the time")
        var present = objects.deployment
        for attempt in 0..<Self.tries {
            if attempt > 0 || present == nil {
                present = OwnDeployment(try await api.get(reference, subresource: nil))
            }
            guard let now = present else { break }
            guard now.memory == expecting else {
                throw KubernetesError(.conflict, message: "another replica has written what it did")
            }
            do throws(KubernetesError) {
                objects.note(try await put(memory, restartedAt: restartedAt, on: now, reference))
                return
            } catch  where error.code == .conflict {
                last = error
            }
        }
        throw last
    }

    private func put(
        _ memory: HealingMemory, restartedAt: String?, on now: OwnDeployment, _ reference: APIObjectReference
    ) async throws(KubernetesError) -> JSONValue {
        var fields: OwnedFields
        do throws(KubernetesError) {
            fields = try await self.fields(reference, nil, memory)
        } catch  where error.code == .invalid {
            // To apply without the template would give its fields up: the annotations are changed by themselves.
            let marks = OwnedFields.marks(memory, restartedAt: restartedAt, on: now)
            return try await api.patch(reference, subresource: nil, .merge(marks))
        }
        fields.replicas = now.replicas
        fields.restartedAt = restartedAt ?? now.restartedAt
        let document = ForeignFields.removing(
            foreign.paths, from: fields.document(uid: now.uid, resourceVersion: now.resourceVersion))
        return try await apply(document, to: reference, force: mayForce(fields))
    }

    /// Whether what is applied is ours, whoever changed it last.
    private func mayForce(_ fields: OwnedFields) -> Bool { fields.template == nil || fields.isOurs }

    private func apply(
        _ document: JSONValue, to reference: APIObjectReference, force: Bool, dryRun: Bool = false
    ) async throws(KubernetesError) -> JSONValue {
        try await api.patch(reference, subresource: nil, .apply(document, force: force, dryRun: dryRun))
    }

    /// The object as it would be, and the fields that others hold.
    private func dryRun(
        _ fields: OwnedFields, _ present: OwnDeployment
    ) async throws(KubernetesError) -> (JSONValue, [String]) {
        let document = fields.document(uid: present.uid, resourceVersion: present.resourceVersion)
        let force = mayForce(fields)
        foreign.paths = []
        do throws(KubernetesError) {
            return (try await apply(document, to: fields.deployment, force: force, dryRun: true), [])
        } catch  where error.code == .conflict && !force {
            let paths = ForeignFields.paths(error)
            guard !paths.isEmpty else { throw error }
            foreign.paths = paths
            let rest = ForeignFields.removing(paths, from: document)
            return (try await apply(rest, to: fields.deployment, force: false, dryRun: true), paths)
        }
    }

    /// Everything that is applied.
    ///
    /// - Parameter live: the Deployment as it is, where it was just read.
    func fields(
        _ reference: APIObjectReference, _ live: JSONValue?, _ memory: HealingMemory
    ) async throws(KubernetesError) -> OwnedFields {
        var fields = OwnedFields(deployment: reference, memory: memory)
        let present = live.flatMap(OwnDeployment.init) ?? objects.deployment
        fields.replicas = present?.replicas
        fields.restartedAt = present?.restartedAt
        guard mode == .own else { return fields }
        var document = live
        if document == nil { document = try await api.get(reference, subresource: nil) }
        fields.isOurs =
            document?.at("metadata", "annotations", OwnedFields.madeAnnotation)?.stringValue == "true"
        if let template = try await template(
            reference, orFromPod: fields.isOurs, selector: document?.at("spec", "selector"))
        {
            fields.template = template.document(of: reference)
        }
        return fields
    }

    /// The template of the ConfigMap, else one made of the own Pod.
    func template(
        _ reference: APIObjectReference, orFromPod: Bool, selector: JSONValue?
    ) async throws(KubernetesError) -> DeploymentTemplate? {
        let place = DeploymentTemplate.reference(of: reference)
        do throws(KubernetesError) {
            let map = try await api.get(place, subresource: nil)
            if Self.saysRemoved(map), map["data"] == nil {
                throw KubernetesError(.notFound, message: "\(place) holds no template")
            }
            guard let text = map.at("data", DeploymentTemplate.key)?.stringValue else {
                throw KubernetesError(.invalid, message: "\(place) has no key \(DeploymentTemplate.key)")
            }
            return try Self.read { () throws(DeploymentTemplate.Fault) in try DeploymentTemplate(yaml: text) }
        } catch  where error.code == .notFound {
            guard orFromPod else { return nil }
            let pod = try await api.get(objects.info.podReference, subresource: nil)
            return try Self.read { () throws(DeploymentTemplate.Fault) in
                try DeploymentTemplate(pod: pod, selector: selector)
            }
        }
    }

    private static func read(
        _ body: () throws(DeploymentTemplate.Fault) -> DeploymentTemplate
    ) throws(KubernetesError) -> DeploymentTemplate {
        do throws(DeploymentTemplate.Fault) {
            return try body()
        } catch {
            throw KubernetesError(.invalid, message: error.message)
        }
    }

    static func refusal(_ error: KubernetesError) -> Refusal {
        ClusterFault.refusal(error, verb: "patch", resource: "deployments")
    }
}

/// The fields that others held at the last look.
private final class ForeignMemory: Sendable {
    private let state = Mutex<[String]>([])

    var paths: [String] {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
