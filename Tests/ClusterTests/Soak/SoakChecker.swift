// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport

/// Compares the cluster and both daemons with the model.
struct SoakChecker {
    /// An object as the API server has it now.
    struct Found {
        let key: ObjectKey
        let uid: String
        let document: JSONValue

        var version: String { document["metadata"]?["resourceVersion"]?.stringValue ?? "" }
    }

    private static let tokenType = "tollgate.dev/service-token"

    let api: HTTPKubernetesAPI
    let plane: ControlPlane
    let replicas: [SoakReplica]
    let namespaces: Set<String>
    /// The last text of each token that this test read, by the object's uid.
    private var texts: [String: String] = [:]

    init(api: HTTPKubernetesAPI, plane: ControlPlane, replicas: [SoakReplica], namespaces: Set<String>) {
        self.api = api
        self.plane = plane
        self.replicas = replicas
        self.namespaces = namespaces
    }

    /// What is not as the model says, the cheap questions first: later ones are not asked while earlier ones complain.
    mutating func complaints(_ model: SoakModel) async throws -> [String] {
        let secrets = try await secrets()
        let verdicts = model.verdicts(made: secrets.compactMapValues(owner))
        let found = try await objects()
        var complaints = try await namespaceComplaints(model) + statusComplaints(found, model, verdicts)
        guard complaints.isEmpty else { return complaints }
        complaints = secretComplaints(secrets, model, verdicts)
        guard complaints.isEmpty else { return complaints }
        for replica in replicas { complaints += await decisionComplaints(replica, model) }
        guard complaints.isEmpty else { return complaints }
        complaints = try await tokenComplaints(model, verdicts)
        guard complaints.isEmpty else { return complaints }
        return try await watchComplaints()
    }

    /// Every object of the four kinds.
    func objects() async throws -> [Found] {
        var found: [Found] = []
        for kind in ResourceKind.own {
            _ = try await api.list(ListQuery(ObjectSelection(.of(kind)))) { document in
                guard let metadata = document["metadata"], let name = metadata["name"]?.stringValue,
                    let namespace = metadata["namespace"]?.stringValue, let uid = metadata["uid"]?.stringValue
                else { return }
                found.append(
                    Found(
                        key: ObjectKey(kind: kind, namespace: namespace, name: name), uid: uid, document: document))
            }
        }
        return found
    }

    /// Who holds the Lease.
    func leader() async throws -> SoakReplica? {
        let lease = try await api.get(
            APIObjectReference(.leases, namespace: SoakDriver.ownNamespace, name: "tollgate"), subresource: nil)
        let holder = lease["spec"]?["holderIdentity"]?.stringValue?.prefix { $0 != "_" }
        return replicas.first { $0.name == holder ?? "" && $0.runs }
    }

    /// Writers of status that have no business there: it is applied by `tollgate`, and by nobody else or otherwise.
    func foreignWriters() async throws -> [String] {
        let kinds = ResourceKind.own.map { "\($0.plural).tollgate.dev" }.joined(separator: ",")
        let output = try await plane.kubectlOutput(["get", kinds, "-A", "-o", "json", "--show-managed-fields"])
        let list = try JSONParser.parse(text: output, limits: .init(values: 2_000_000))
        return (list["items"]?.arrayValue ?? []).flatMap { item in
            (item["metadata"]?["managedFields"]?.arrayValue ?? []).compactMap { entry -> String? in
                guard entry["fieldsV1"]?["f:status"] != nil else { return nil }
                let isRight =
                    entry["manager"] == "tollgate" && entry["operation"] == "Apply" && entry["subresource"] == "status"
                return isRight ? nil : "\(text(item["metadata"]?["name"])): status was written by \(text(entry))"
            }
        }
    }

    // MARK: Objects

    private func namespaceComplaints(_ model: SoakModel) async throws -> [String] {
        var present: Set<String> = []
        _ = try await api.list(ListQuery(ObjectSelection(.namespaces, metadataOnly: true))) {
            if let name = $0["metadata"]?["name"]?.stringValue { present.insert(name) }
        }
        return model.places.filter { present.contains($0.key) != $0.value.isThere }.map {
            "namespace \($0.key) is \($0.value.isThere ? "missing" : "still there")"
        }
    }

    private func statusComplaints(
        _ found: [Found], _ model: SoakModel, _ verdicts: [ObjectKey: SoakModel.Verdict]
    ) -> [String] {
        var complaints: [String] = []
        var missing = Set(model.objects.keys)
        for object in found {
            missing.remove(object.key)
            guard let wanted = model.objects[object.key], wanted.uid == object.uid, let verdict = verdicts[object.key]
            else {
                complaints.append("\(object.key) was deleted and is still there: \(text(object.document["metadata"]))")
                continue
            }
            let status = object.document["status"]
            let ready = status?["conditions"]?.arrayValue?.first { $0["type"] == "Ready" }
            let isRight =
                status?["observedGeneration"]?.intValue == wanted.generation
                && ready?["status"]?.stringValue == (verdict.isReady ? "True" : "False")
                && verdict.reasons.contains(ready?["reason"]?.stringValue ?? "")
                && ready?["observedGeneration"]?.intValue == wanted.generation
            if !isRight {
                complaints.append(
                    "\(object.key) of generation \(wanted.generation) should be Ready \(verdict), but says \(text(status))"
                )
            }
            let finalizers = object.document["metadata"]?["finalizers"]?.arrayValue ?? []
            let wantsFinalizer = [ResourceKind.serviceToken, .subscription].contains(object.key.kind)
            if finalizers != (wantsFinalizer ? ["tollgate.dev/cleanup"] : []) {
                complaints.append("\(object.key) has finalizers \(finalizers)")
            }
        }
        return complaints + missing.sorted().map { "\($0) is not there" }
    }

    // MARK: Secrets and tokens

    /// The Secrets of tokens, as the API server has them now.
    private func secrets() async throws -> [ObjectKey: JSONValue] {
        var secrets: [ObjectKey: JSONValue] = [:]
        _ = try await api.list(
            ListQuery(ObjectSelection(.secrets, fieldSelector: "type=\(Self.tokenType)"))
        ) { secret in
            let metadata = secret["metadata"]
            let key = ObjectKey(
                kind: .secret, namespace: metadata?["namespace"]?.stringValue ?? "",
                name: metadata?["name"]?.stringValue ?? "")
            secrets[key] = secret
        }
        return secrets
    }

    private func owner(_ secret: JSONValue) -> String? {
        secret["metadata"]?["ownerReferences"]?.arrayValue?.first?["uid"]?.stringValue
    }

    private mutating func secretComplaints(
        _ secrets: [ObjectKey: JSONValue], _ model: SoakModel, _ verdicts: [ObjectKey: SoakModel.Verdict]
    ) -> [String] {
        let tokens = model.all(.serviceToken)
        let byUID = Dictionary(uniqueKeysWithValues: tokens.map { ($0.uid, $0) })
        var complaints: [String] = []
        var held: Set<ObjectKey> = []
        for (key, secret) in secrets {
            guard let owner = owner(secret), let object = byUID[owner], case .token(let token) = object.spec else {
                complaints.append("\(key) is an orphan")
                continue
            }
            if token.isRevoked { complaints.append("\(key) of the revoked \(object.key) is still there") }
            held.insert(object.key)
            let data = secret["data"]?["token"]?.stringValue.flatMap { Data(base64Encoded: $0) }
            if let data, verdicts[object.key]?.isReady == true { texts[owner] = String(decoding: data, as: UTF8.self) }
        }
        for token in tokens where verdicts[token.key]?.isReady == true && !held.contains(token.key) {
            complaints.append("\(token.key) is ready and has no Secret")
        }
        return complaints
    }

    /// The leader's store decides: the text in the Secret is good, and what was revoked is not.
    private func tokenComplaints(
        _ model: SoakModel, _ verdicts: [ObjectKey: SoakModel.Verdict]
    ) async throws -> [String] {
        guard let leader = try await leader() else { return ["nobody leads"] }
        let holders = model.holders()
        var complaints: [String] = []
        for object in model.all(.serviceToken) {
            guard let text = texts[object.uid], let verdict = verdicts[object.key],
                let host = holders.sorted(by: { $0.key < $1.key }).first(where: { _, holder in
                    guard case .config(let config) = holder.spec else { return false }
                    return holder.key.namespace == object.key.namespace
                        && model.fault(of: config, in: holder.key.namespace) == nil
                })?.key
            else { continue }
            // What a conflict means for a text that was handed out before is nobody's promise.
            if verdict.reasons.contains("SecretConflict"), !verdict.reasons.contains("Revoked") { continue }
            let answer = await ask(leader, host: host, token: text)
            let isSuspended = model.isSuspended(object.key.namespace)
            if isSuspended, verdict.isReady, answer == "auth.account_suspended" { continue }
            if (answer == "allow") != (verdict.isReady && !isSuspended) {
                complaints.append("the token of \(object.key), \(verdict), at \(host) on \(leader.name): \(answer)")
            }
        }
        return complaints
    }

    // MARK: Daemons

    private func decisionComplaints(_ replica: SoakReplica, _ model: SoakModel) async -> [String] {
        var complaints: [String] = []
        let holders = model.holders()
        for host in SoakDriver.hosts {
            var questions: [(token: String?, wanted: String)] = []
            if let holder = holders[host], case .config(let config) = holder.spec {
                let namespace = holder.key.namespace
                if model.fault(of: config, in: namespace) != nil {
                    questions = [(nil, "config.invalid")]
                } else if let key = model.key(config, in: namespace)?.text {
                    questions = [
                        (try? SoakDocuments.token(key: key, audience: config.audience), "allow"),
                        (try? SoakDocuments.token(key: key, audience: "another"), "auth.invalid_audience"),
                        (nil, "auth.missing_token"),
                    ]
                }
            } else {
                questions = [(nil, "auth.no_config")]
            }
            for (token, wanted) in questions {
                let answer = await ask(replica, host: host, token: token)
                guard answer != wanted else { continue }
                complaints.append(
                    "\(replica.name) at \(host) (\(holders[host]?.name ?? "nobody's")): \(answer), not \(wanted)")
            }
        }
        return complaints
    }

    private func ask(_ replica: SoakReplica, host: String, token: String?) async -> String {
        do { return try await replica.daemon.decide(host: host, token: token) } catch { return "\(error)" }
    }

    /// The server counts the watches that are open: each replica has one a kind and namespace, and no other.
    private func watchComplaints() async throws -> [String] {
        let metrics = try await plane.kubectlOutput(["get", "--raw", "/metrics"])
        let wanted = replicas.count * namespaces.count
        let line = metrics.split(separator: "\n").first { line in
            line.hasPrefix("apiserver_longrunning_gauge{")
                && ["group=\"\"", "resource=\"secrets\"", "scope=\"namespace\"", "verb=\"WATCH\""].allSatisfy(
                    line.contains)
        }
        let open = line?.split(separator: " ").last.flatMap { Int($0) }
        return open == wanted ? [] : ["\(open ?? 0) watches of Secrets are open, not \(wanted)"]
    }

    private func text(_ value: JSONValue?) -> String { String(decoding: (value ?? .null).encoded(), as: UTF8.self) }
}
