// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import ToolTrust

/// The objects of the benchmark: as many of each kind.
struct Fleet: Sendable {
    /// One object to make.
    struct Item: Sendable {
        let kind: ResourceKind
        let namespace: String
        let name: String
        let spec: JSONValue

        var document: JSONValue {
            [
                "apiVersion": .string(kind.apiVersion), "kind": .string(kind.rawValue),
                "metadata": ["name": .string(name), "namespace": .string(namespace)], "spec": spec,
            ]
        }
        var reference: APIObjectReference { APIObjectReference(.of(kind), namespace: namespace, name: name) }
    }

    let items: [Item]
    let key: Ed25519PrivateKey
    private let prefix: String

    /// - Parameters:
    ///   - count: of all kinds together.
    ///   - prefix: of every name, so that two fleets do not meet.
    ///   - own: where the Subscriptions stand: elsewhere each namespace has one tenant.
    init(count: Int, namespaces: [String], own: String, prefix: String) throws {
        guard let key = Ed25519PrivateKey(seed: Array(1...32)) else { throw BenchmarkFault("no signing key") }
        self.key = key
        self.prefix = prefix
        var items: [Item] = []
        for index in 0..<count {
            let kind = ResourceKind.own[index % ResourceKind.own.count]
            let number = index / ResourceKind.own.count
            let name = "\(prefix)-\(number)"
            items.append(
                Item(
                    kind: kind,
                    namespace: kind == .subscription ? own : namespaces[number % namespaces.count], name: name,
                    spec: try Self.spec(kind, name: name, key: key)))
        }
        self.items = items
    }

    /// What makes the daemon trust the fleet's tools.
    var trustedKeys: String {
        let records = [key.record?.json ?? .null]
        return String(decoding: JSONValue.array(records).encoded(), as: UTF8.self)
    }

    /// Those of one kind.
    func items(of kind: ResourceKind) -> [Item] { items.filter { $0.kind == kind } }

    /// The host of an AuthConfig.
    static func host(_ name: String) -> String { "\(name).bench.example" }

    /// The routes of an AuthConfig: callers of that revision's path are let in, those of any other are not.
    static func routes(revision: Int) -> JSONValue {
        [
            ["methods": ["GET"], "path": .string("/revisions/\(revision)"), "public": true],
            ["methods": ["GET"], "path": "/v1/me", "authenticated": true],
        ]
    }

    private static func spec(_ kind: ResourceKind, name: String, key: Ed25519PrivateKey) throws -> JSONValue {
        switch kind {
        case .authConfig:
            return [
                "hosts": [.string(host(name))], "mode": "required", "serviceTokens": true,
                "policy": ["routes": routes(revision: 0)],
            ]
        case .serviceToken:
            return [
                "secretName": .string("\(name)-token"), "scopes": ["tasks:read"], "expiresIn": "720h",
                "rotation": ["every": "168h", "overlap": "1h"],
            ]
        case .subscription: return ["tenant": .string("account-\(name)"), "source": "manual", "plan": "pro"]
        default:
            let manifest: JSONValue = [
                "tool_id": .string(name), "version": "1.0.0",
                "sha256_hash": .string(String(repeating: "ab", count: 32)), "max_memory_mb": 64,
                "max_cpu_seconds": 5, "network_allowed": false,
            ]
            return ["manifest": try ToolManifestSigner.sign(manifest, key: key)]
        }
    }
}
