// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import KubernetesClient
internal import ResourceModel
internal import TestSupport

/// Changes the cluster at random, and keeps the model in step with what the API server took.
struct SoakDriver {
    static let hosts = (0..<8).map { "h\($0).soak.example" }
    static let ownNamespace = "own"
    /// Its tenant comes, goes and changes.
    static let moody = "gamma"
    /// It is deleted and made again.
    static let fleeting = "fleet"
    /// Objects of one kind in one namespace at the most.
    private static let most = 5

    /// What a step does, and how often it is drawn beside the others.
    private enum Act: Int, CaseIterable {
        case makeConfig = 10
        case editConfig = 11
        case dropConfig = 6
        case changeKey = 12
        case makeToken = 9
        case editToken = 5
        case revokeToken = 2
        case dropToken = 4
        case disturbSecret = 7
        case makePlan = 8
        case dropTool = 1
        case makeTool = 3

        var weight: Int {
            switch self {
            case .dropTool: 3
            case .makeTool: 4
            default: rawValue
            }
        }
    }

    let api: HTTPKubernetesAPI
    let random: SeededRandom
    var model: SoakModel
    /// What was done, with the round.
    private(set) var log: [String] = []
    private var made = 0

    init(api: HTTPKubernetesAPI, seed: UInt64) {
        self.api = api
        random = SeededRandom(seed: seed)
        model = SoakModel(places: [
            Self.ownNamespace: .init(tenant: nil, isPlatform: true), "acme": .init(tenant: "acme"),
            "beta": .init(tenant: "beta"), Self.moody: .init(tenant: nil), Self.fleeting: .init(tenant: "fleet"),
        ])
    }

    /// Makes the namespaces, and keys in them: most AuthConfigs shall have something to decide with.
    mutating func prepare() async throws {
        for (name, place) in model.places.sorted(by: { $0.key < $1.key }) {
            _ = try await api.create(
                SoakDocuments.namespace(name, tenant: place.tenant), in: .namespaces, namespace: nil, name: nil,
                subresource: nil)
        }
        for _ in 0..<20 { if let done = try await changeKey() { note(done) } }
    }

    mutating func note(_ text: String) { log.append(text) }

    /// One random change.
    mutating func step() async throws {
        let acts = Act.allCases
        var draw = random.below(acts.reduce(0) { $0 + $1.weight })
        var chosen = acts[0]
        for act in acts {
            chosen = act
            draw -= act.weight
            if draw < 0 { break }
        }
        let done = try await perform(chosen)
        note(done ?? "\(chosen): nothing to do it to")
    }

    private mutating func perform(_ act: Act) async throws -> String? {
        switch act {
        case .makeConfig: return try await make(.authConfig)
        case .editConfig: return try await editConfig()
        case .dropConfig: return try await drop(.authConfig)
        case .changeKey: return try await changeKey()
        case .makeToken: return try await make(.serviceToken)
        case .editToken: return try await editToken()
        case .revokeToken: return try await revokeToken()
        case .dropToken: return try await drop(.serviceToken)
        case .disturbSecret: return try await disturbSecret()
        case .makePlan:
            switch random.below(3) {
            case 0: return try await make(.subscription)
            case 1: return try await editPlan()
            default: return try await drop(.subscription)
            }
        case .makeTool: return try await make(.toolManifest)
        case .dropTool: return try await random.below(2) == 0 ? drop(.toolManifest) : editTool()
        }
    }

    // MARK: Objects

    private mutating func make(_ kind: ResourceKind) async throws -> String? {
        guard let namespace = anyPlace() else { return nil }
        guard model.all(kind).count(where: { $0.key.namespace == namespace }) < Self.most else { return nil }
        let key = ObjectKey(kind: kind, namespace: namespace, name: "\(kind.plural)-\(random.below(2 * Self.most))")
        guard model.objects[key] == nil else { return nil }
        let spec = newSpec(kind, namespace: namespace)
        do throws(KubernetesError) {
            let document = try await api.create(
                SoakDocuments.document(key, spec), in: .of(kind), namespace: namespace, name: nil, subresource: nil)
            try take(document, key, spec)
        } catch {
            guard [.alreadyExists, .conflict].contains(error.code) else { throw error }
            return "make \(key): the one before it is still being deleted"
        }
        return "make \(key) \(spec)"
    }

    private mutating func take(_ document: JSONValue, _ key: ObjectKey, _ spec: SoakModel.Spec)
        throws(KubernetesError)
    {
        guard let metadata = document["metadata"], let uid = metadata["uid"]?.stringValue,
            let created = metadata["creationTimestamp"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let generation = metadata["generation"]?.intValue
        else { throw KubernetesError(.malformedAnswer, message: "\(key) came back without its metadata") }
        model.objects[key] = .init(key: key, uid: uid, createdAt: created, generation: generation, spec: spec)
    }

    private mutating func newSpec(_ kind: ResourceKind, namespace: String) -> SoakModel.Spec {
        switch kind {
        case .authConfig: return .config(newConfig())
        case .serviceToken:
            return .token(
                .init(
                    secretName: "token-\(random.below(6))", scopes: anyScopes(), asksForAdmin: random.below(8) == 0))
        case .subscription: return .plan(newPlan(tenant: anyTenant(of: namespace)))
        default: return .tool(.init(id: random.below(4) == 0 ? nil : "tool-\(random.below(4))"))
        }
    }

    private mutating func newConfig() -> SoakModel.Config {
        made += 1
        let hosts = (0...random.below(3)).map { _ in Self.hosts[random.below(Self.hosts.count)] }
        return .init(
            hosts: Set(hosts).sorted(), audience: "audience-\(made)", secret: "key-\(random.below(3))",
            isInvalid: random.below(10) == 0)
    }

    private func newPlan(tenant: String) -> SoakModel.Plan {
        .init(
            tenant: tenant, plan: random.below(5) == 0 ? "unheard" : ["pro", "free"][random.below(2)],
            isSuspended: random.below(5) == 0, isStripe: random.below(6) == 0)
    }

    private mutating func editConfig() async throws -> String? {
        guard let object = anyObject(.authConfig) else { return nil }
        return try await edit(object, .config(newConfig()))
    }

    private mutating func editToken() async throws -> String? {
        guard let object = anyObject(.serviceToken), case .token(var token) = object.spec else { return nil }
        if random.below(2) == 0 {
            made += 1
            let patch: JSONValue = ["metadata": ["annotations": ["tollgate.dev/rotate": .string("\(made)")]]]
            _ = try await api.patch(reference(object.key), subresource: nil, .merge(patch))
            return "rotate \(object.key)"
        }
        token.scopes = anyScopes()
        token.asksForAdmin = random.below(8) == 0
        return try await edit(object, .token(token))
    }

    private mutating func revokeToken() async throws -> String? {
        guard let object = anyObject(.serviceToken), case .token(var token) = object.spec else { return nil }
        token.isRevoked = true
        return try await edit(object, .token(token))
    }

    private mutating func editPlan() async throws -> String? {
        guard let object = anyObject(.subscription), case .plan(let plan) = object.spec else { return nil }
        return try await edit(object, .plan(newPlan(tenant: plan.tenant)))
    }

    private mutating func editTool() async throws -> String? {
        guard let object = anyObject(.toolManifest) else { return nil }
        return try await edit(object, .tool(.init(id: random.below(4) == 0 ? nil : "tool-\(random.below(4))")))
    }

    private mutating func edit(_ object: SoakModel.Object, _ spec: SoakModel.Spec) async throws -> String {
        let patch: JSONValue = ["spec": SoakDocuments.spec(spec)]
        let document = try await api.patch(reference(object.key), subresource: nil, .merge(patch))
        try take(document, object.key, spec)
        return "edit \(object.key) \(spec)"
    }

    private mutating func drop(_ kind: ResourceKind) async throws -> String? {
        guard let object = anyObject(kind) else { return nil }
        try await api.delete(reference(object.key), DeleteConditions(uid: object.uid))
        model.objects[object.key] = nil
        return "delete \(object.key)"
    }

    // MARK: Secrets

    /// An issuer's key comes, changes, loses its label, gets it back, or goes.
    private mutating func changeKey() async throws -> String? {
        guard let namespace = anyPlace() else { return nil }
        let key = ObjectKey(kind: .secret, namespace: namespace, name: "key-\(random.below(3))")
        made += 1
        let text = "key-number-\(made)-of-the-soak-0123456789abcdef"
        guard let present = model.keys[key] else {
            let new = SoakModel.IssuerKey(text: text, isLabelled: random.below(6) != 0)
            let document = SoakDocuments.secret(key, data: ["hs256": text], isLabelled: new.isLabelled)
            _ = try await api.create(
                document, in: .secrets, namespace: namespace, name: nil, subresource: nil)
            model.keys[key] = new
            return "make \(key) labelled \(new.isLabelled)"
        }
        // A key in use loses its label seldom: most of the time there shall be something to decide.
        switch present.isLabelled ? random.below(6) : 1 {
        case 0:
            try await api.delete(reference(key), DeleteConditions())
            model.keys[key] = nil
            return "delete \(key)"
        case 1:
            let label: JSONValue = present.isLabelled ? .null : "true"
            let patch: JSONValue = ["metadata": ["labels": .object([SoakDocuments.managed: label])]]
            _ = try await api.patch(reference(key), subresource: nil, .merge(patch))
            model.keys[key]?.isLabelled.toggle()
            return "label \(key) \(!present.isLabelled)"
        default:
            _ = try await api.patch(
                reference(key), subresource: nil, .merge(["stringData": ["hs256": .string(text)]]))
            model.keys[key]?.text = text
            return "change the text of \(key)"
        }
    }

    /// Somebody meddles with the Secret of a token, or takes its name.
    private mutating func disturbSecret() async throws -> String? {
        if let taken = any(model.foreign.sorted()), random.below(2) == 0 {
            try await api.delete(reference(taken), DeleteConditions())
            model.foreign.remove(taken)
            return "delete the foreign \(taken)"
        }
        guard let object = anyObject(.serviceToken), case .token(let token) = object.spec else { return nil }
        let key = ObjectKey(kind: .secret, namespace: object.key.namespace, name: token.secretName)
        guard !model.foreign.contains(key) else { return nil }
        do throws(KubernetesError) {
            switch random.below(4) {
            case 0:
                let document = SoakDocuments.secret(
                    key, data: ["token": "somebody else's"], isLabelled: random.below(2) == 0)
                _ = try await api.create(
                    document, in: .secrets, namespace: key.namespace, name: nil, subresource: nil)
                model.foreign.insert(key)
                return "make a foreign \(key)"
            case 1:
                try await api.delete(reference(key), DeleteConditions())
                return "delete \(key) under its token"
            default:
                _ = try await api.patch(
                    reference(key), subresource: nil, .merge(["stringData": ["token": "changed by hand"]]))
                return "change \(key) by hand"
            }
        } catch {
            guard [.alreadyExists, .notFound].contains(error.code) else { throw error }
            return "disturb \(key): \(error.code.rawValue)"
        }
    }

    // MARK: Namespaces

    /// The label with the tenant comes, changes or goes.
    mutating func changeTenant() async throws {
        let tenant: String? = [nil, "gamma", "delta"].filter { $0 != model.places[Self.moody]?.tenant }[random.below(2)]
        let patch: JSONValue = ["metadata": ["labels": ["tollgate.dev/tenant": .optional(tenant)]]]
        _ = try await api.patch(
            APIObjectReference(.namespaces, namespace: nil, name: Self.moody), subresource: nil, .merge(patch))
        model.places[Self.moody]?.tenant = tenant
        note("tenant of \(Self.moody): \(tenant ?? "none")")
    }

    /// The fleeting namespace goes with all that is in it, or comes back.
    mutating func toggleNamespace() async throws {
        let reference = APIObjectReference(.namespaces, namespace: nil, name: Self.fleeting)
        if model.places[Self.fleeting]?.isThere == true {
            try await api.delete(reference, DeleteConditions())
            model.forget(Self.fleeting)
            model.places[Self.fleeting]?.isThere = false
            return note("delete namespace \(Self.fleeting)")
        }
        do throws(KubernetesError) {
            _ = try await api.create(
                SoakDocuments.namespace(Self.fleeting, tenant: "fleet"), in: .namespaces, namespace: nil, name: nil,
                subresource: nil)
            model.places[Self.fleeting]?.isThere = true
            note("make namespace \(Self.fleeting) again")
        } catch {
            guard [.alreadyExists, .conflict].contains(error.code) else { throw error }
            note("namespace \(Self.fleeting) is not gone yet")
        }
    }

    // MARK: Draws

    private func any<Value>(_ values: [Value]) -> Value? { values.isEmpty ? nil : values[random.below(values.count)] }

    private func anyPlace() -> String? { any(model.places.filter(\.value.isThere).keys.sorted()) }

    private func anyObject(_ kind: ResourceKind) -> SoakModel.Object? { any(model.all(kind)) }

    private func anyScopes() -> [String] { [["tasks:read"], ["tasks:read", "tasks:write"], []][random.below(3)] }

    private func anyTenant(of namespace: String) -> String {
        random.below(5) == 0 ? "acme" : model.places[namespace]?.tenant ?? ["gamma", "delta"][random.below(2)]
    }

    private func reference(_ key: ObjectKey) -> APIObjectReference {
        APIObjectReference(.of(key.kind), namespace: key.namespace, name: key.name)
    }
}
