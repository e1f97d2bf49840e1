// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// Where Redis is, as `REDIS_URL` says it.
///
/// - `redis://[user[:password]@]host[:6379][/database]`, `rediss://…` for TLS
/// - `redis+sentinel://[user[:password]@]host[:26379][,host…]/master-name[/database]`, also `redis-sentinel://` and `rediss+sentinel://`
/// - `redis+cluster://[user[:password]@]host[:6379][,host…]`, also `redis-cluster://` and `rediss+cluster://`
///
/// User and password are percent-decoded. `redis://:password@host` has no user, as Redis before version 6.
package struct RedisAddress: Sendable, Hashable {
    /// How the servers stand together.
    package enum Topology: Sendable, Hashable {
        case single(RedisEndpoint)
        /// Sentinels, and the name under which they know the master.
        case sentinel([RedisEndpoint], master: String)
        /// Some of the cluster's servers; they know the others.
        case cluster([RedisEndpoint])
    }

    /// Why a text is no address. It never repeats the text.
    package struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    package var topology: Topology
    package var usesTLS: Bool
    package var user: String?
    package var password: Redacted<String>?
    package var database: Int

    package static func == (left: RedisAddress, right: RedisAddress) -> Bool {
        left.topology == right.topology && left.usesTLS == right.usesTLS && left.user == right.user
            && left.password == right.password && left.database == right.database
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(topology)
        hasher.combine(usesTLS)
        hasher.combine(database)
    }

    /// What may be shown: everything but user and password.
    package var shown: String {
        let scheme = usesTLS ? "rediss" : "redis"
        let tail = database == 0 ? "" : "/\(database)"
        switch topology {
        case .single(let endpoint): return "\(scheme)://\(endpoint)\(tail)"
        case .sentinel(let endpoints, let master):
            return "\(scheme)+sentinel://\(Self.list(endpoints))/\(master)\(tail)"
        case .cluster(let endpoints): return "\(scheme)+cluster://\(Self.list(endpoints))"
        }
    }

    /// Whether every host that it names is this machine.
    package var isLoopback: Bool {
        let endpoints =
            switch topology {
            case .single(let endpoint): [endpoint]
            case .sentinel(let endpoints, _), .cluster(let endpoints): endpoints
            }
        return endpoints.allSatisfy { $0.host == "localhost" || $0.host.hasPrefix("127.") || $0.host == "::1" }
    }

    private static func list(_ endpoints: [RedisEndpoint]) -> String {
        endpoints.map(\.description).joined(separator: ",")
    }

    private enum Kind { case single, sentinel, cluster }

    private static let schemes: [String: (Kind, Bool)] = [
        "redis": (.single, false), "rediss": (.single, true),
        "redis+sentinel": (.sentinel, false), "rediss+sentinel": (.sentinel, true),
        "redis-sentinel": (.sentinel, false), "rediss-sentinel": (.sentinel, true),
        "redis+cluster": (.cluster, false), "rediss+cluster": (.cluster, true),
        "redis-cluster": (.cluster, false), "rediss-cluster": (.cluster, true),
    ]

    /// Reads an address.
    package init(parsing text: String) throws(Fault) {
        guard text.utf8.count <= 4096, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Fault(description: "it must be at most 4096 visible ASCII characters; others are percent-encoded")
        }
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            let (kind, usesTLS) = Self.schemes[ASCII.lowercased(text[..<colon])]
        else {
            throw Fault(
                description: "it must begin with redis://, rediss://, redis+sentinel://, rediss+sentinel://, "
                    + "redis+cluster:// or rediss+cluster://")
        }
        var rest = text[text.index(colon, offsetBy: 3)...]
        guard !rest.contains("?"), !rest.contains("#") else {
            throw Fault(description: "parameters behind ? or # are not known; a ? or # of a password is %3F or %23")
        }
        (user, password) = (nil, nil)
        if let at = rest.lastIndex(of: "@") {
            (user, password) = try Self.credentials(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        var parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        let endpoints = try Self.endpoints(parts.removeFirst(), defaultPort: kind == .sentinel ? 26_379 : 6379)
        if parts.last == "" { parts.removeLast() }
        switch kind {
        case .single:
            guard endpoints.count == 1 else {
                throw Fault(description: "several hosts need redis+sentinel:// or redis+cluster://")
            }
            topology = .single(endpoints[0])
        case .sentinel:
            guard !parts.isEmpty, let master = Self.decoded(parts.removeFirst()), Self.isMasterName(master) else {
                throw Fault(description: "the path must name the master that the sentinels watch: /mymaster")
            }
            topology = .sentinel(endpoints, master: master)
        case .cluster: topology = .cluster(endpoints)
        }
        self.usesTLS = usesTLS
        database = try Self.database(parts, isCluster: kind == .cluster)
    }

    private static func database(_ parts: [Substring], isCluster: Bool) throws(Fault) -> Int {
        guard let part = parts.first else { return 0 }
        guard parts.count == 1, part.utf8.count <= 5, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(part)
        else { throw Fault(description: "the path must be the number of a database, as /0") }
        guard !isCluster || number == 0 else { throw Fault(description: "a cluster has no database but 0") }
        return number
    }

    private static func credentials(_ text: Substring) throws(Fault) -> (String?, Redacted<String>?) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let texts = parts.map { decoded($0) }
        guard let user = texts[0], let password = texts.count > 1 ? texts[1] : "" else {
            throw Fault(description: "user or password hold a % that begins no percent-encoded byte; a % itself is %25")
        }
        return (user.isEmpty ? nil : user, password.isEmpty ? nil : Redacted(password))
    }

    private static func endpoints(_ text: Substring, defaultPort: Int) throws(Fault) -> [RedisEndpoint] {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= 64 else { throw Fault(description: "at most 64 hosts can be named") }
        var endpoints: [RedisEndpoint] = []
        for part in parts {
            guard let endpoint = RedisEndpoint(part, defaultPort: defaultPort) else {
                throw Fault(description: "each host must be a name or an address, with a port where it is not usual")
            }
            if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
        }
        return endpoints
    }

    private static func isMasterName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 128
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }

    /// Percent-decoded; nil when it is not encoded as it must be or is no UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.digitValue), let low = rest.popFirst().flatMap(Hex.digitValue)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
