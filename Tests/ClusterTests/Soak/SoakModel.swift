// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// What the cluster holds, and what follows from it: written from the rules, not from the code that is tested.
struct SoakModel {
    /// A namespace.
    struct Place {
        var tenant: String?
        var isPlatform = false
        var isThere = true
    }

    /// An AuthConfig as far as it varies.
    struct Config {
        var hosts: [String]
        var audience: String
        /// The Secret with the issuer's key.
        var secret: String
        /// Says something that only status can refuse.
        var isInvalid: Bool
    }

    /// A ServiceToken as far as it varies.
    struct Token {
        var secretName: String
        var scopes: [String]
        /// Asks for a role that only platform namespaces give.
        var asksForAdmin: Bool
        var isRevoked = false
    }

    /// A Subscription as far as it varies.
    struct Plan {
        var tenant: String
        var plan: String
        var isSuspended: Bool
        var isStripe: Bool
    }

    /// A ToolManifest as far as it varies.
    struct Tool {
        /// Nil: what stands there is no manifest.
        var id: String?
    }

    enum Spec {
        case config(Config)
        case token(Token)
        case plan(Plan)
        case tool(Tool)
    }

    /// An object as the API server made it.
    struct Object {
        let key: ObjectKey
        let uid: String
        let createdAt: Timestamp
        var generation: Int64
        var spec: Spec

        var name: String { "\(key.namespace)/\(key.name)" }
    }

    /// A Secret with the key of an issuer.
    struct IssuerKey {
        var text: String
        var isLabelled: Bool
    }

    /// What `Ready` has to say.
    struct Verdict {
        var isReady: Bool
        /// More than one where the rules do not say which goes first.
        var reasons: [String]

        static let ready = Verdict(isReady: true, reasons: ["InForce"])
        static func not(_ reasons: String...) -> Verdict { Verdict(isReady: false, reasons: reasons) }
    }

    var places: [String: Place]
    var objects: [ObjectKey: Object] = [:]
    var keys: [ObjectKey: IssuerKey] = [:]
    /// Secrets of others under names that tokens want.
    var foreign: Set<ObjectKey> = []

    /// The objects of a kind, the oldest first: of two that want the same the first has it.
    func all(_ kind: ResourceKind) -> [Object] {
        objects.values.filter { $0.key.kind == kind }.sorted { ($0.createdAt, $0.name) < ($1.createdAt, $1.name) }
    }

    /// A namespace and all that is in it are gone.
    mutating func forget(_ namespace: String) {
        objects = objects.filter { $0.key.namespace != namespace }
        keys = keys.filter { $0.key.namespace != namespace }
        foreign = foreign.filter { $0.namespace != namespace }
    }

    /// What every live object has to say.
    ///
    /// - Parameter made: whose the Secrets of tokens are (by uid): of tokens of one second the one whose Secret is made has it.
    func verdicts(made: [ObjectKey: String]) -> [ObjectKey: Verdict] {
        var result: [ObjectKey: Verdict] = [:]
        judgeConfigs(&result)
        judgeTokens(&result, made: made)
        judgePlans(&result)
        judgeTools(&result)
        return result
    }

    /// Who has which host.
    func holders() -> [String: Object] {
        var result: [String: Object] = [:]
        for object in all(.authConfig) where mayBe(object) {
            guard case .config(let config) = object.spec else { continue }
            for host in config.hosts where result[host] == nil { result[host] = object }
        }
        return result
    }

    /// Why an AuthConfig answers nobody; nil where it is sound.
    func fault(of config: Config, in namespace: String) -> String? {
        if config.isInvalid { return "InvalidSpec" }
        guard let key = key(config, in: namespace), key.isLabelled else { return "SecretNotLabelled" }
        return nil
    }

    /// The key with which callers of an AuthConfig sign.
    func key(_ config: Config, in namespace: String) -> IssuerKey? {
        keys[ObjectKey(kind: .secret, namespace: namespace, name: config.secret)]
    }

    /// Whether the namespace may say anything at all.
    private func mayBe(_ object: Object) -> Bool {
        guard let place = places[object.key.namespace] else { return false }
        return place.isPlatform || place.tenant != nil
    }

    private func judgeConfigs(_ result: inout [ObjectKey: Verdict]) {
        let holders = holders()
        for object in all(.authConfig) {
            guard case .config(let config) = object.spec else { continue }
            guard mayBe(object) else {
                result[object.key] = .not("NotAllowedInNamespace")
                continue
            }
            if let fault = fault(of: config, in: object.key.namespace) {
                result[object.key] = .not(fault)
            } else if config.hosts.contains(where: { holders[$0]?.uid != object.uid }) {
                result[object.key] = .not("HostTaken")
            } else {
                result[object.key] = .ready
            }
        }
    }

    private func judgeTokens(_ result: inout [ObjectKey: Verdict], made: [ObjectKey: String]) {
        var owners: [ObjectKey: Object] = [:]
        let tokens = all(.serviceToken).compactMap { object -> (object: Object, token: Token, secret: ObjectKey)? in
            guard case .token(let token) = object.spec else { return nil }
            return (
                object, token, ObjectKey(kind: .secret, namespace: object.key.namespace, name: token.secretName)
            )
        }
        for (object, _, secret) in tokens {
            let first = owners[secret] ?? object
            owners[secret] = made[secret] == object.uid && first.createdAt == object.createdAt ? object : first
        }
        for (object, token, secret) in tokens {
            let isPlatform = places[object.key.namespace]?.isPlatform == true
            let isTaken = owners[secret]?.key != object.key || foreign.contains(secret)
            if !mayBe(object) || token.asksForAdmin && !isPlatform {
                result[object.key] = .not("NotAllowedInNamespace")
            } else if token.isRevoked {
                result[object.key] = isTaken ? .not("Revoked", "SecretConflict") : .not("Revoked")
            } else {
                result[object.key] = isTaken ? .not("SecretConflict") : .ready
            }
        }
    }

    /// Whether whoever speaks for the tenant of a namespace suspends its account: then no stored credential of it is good.
    func isSuspended(_ namespace: String) -> Bool {
        guard let tenant = places[namespace]?.tenant else { return false }
        for object in all(.subscription) {
            guard case .plan(let plan) = object.spec, let place = places[object.key.namespace], plan.tenant == tenant,
                place.isPlatform || place.tenant == tenant
            else { continue }
            // The oldest speaks for it.
            return plan.isSuspended
        }
        return false
    }

    private func judgePlans(_ result: inout [ObjectKey: Verdict]) {
        var holders: Set<String> = []
        for object in all(.subscription) {
            guard case .plan(let plan) = object.spec, let place = places[object.key.namespace] else { continue }
            guard place.isPlatform || place.tenant == plan.tenant else {
                result[object.key] = .not("NotAllowedInNamespace")
                continue
            }
            if !holders.insert(plan.tenant).inserted {
                result[object.key] = .not("AccountTaken")
            } else if plan.plan == "unheard" {
                result[object.key] = .not("UnknownPlan")
            } else if plan.isStripe {
                result[object.key] = .not("NothingKnown")
            } else {
                result[object.key] = plan.isSuspended ? .not("Suspended") : .ready
            }
        }
    }

    private func judgeTools(_ result: inout [ObjectKey: Verdict]) {
        var holders: Set<String> = []
        for object in all(.toolManifest) {
            guard case .tool(let tool) = object.spec else { continue }
            guard let id = tool.id else {
                result[object.key] = .not("NotAccepted")
                continue
            }
            // No key is trusted here: the best that a manifest can be is not verified.
            let isFirst = holders.insert("\(places[object.key.namespace]?.tenant ?? "")/\(id)").inserted
            result[object.key] = isFirst ? .not("NotVerified") : .not("NotAccepted")
        }
    }
}
