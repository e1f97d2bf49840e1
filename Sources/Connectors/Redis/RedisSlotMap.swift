// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Which server of a cluster has which slot.
struct RedisSlotMap: Sendable, Hashable {
    private var owners: [RedisEndpoint?] = Array(repeating: nil, count: RedisSlot.count)

    init() {}

    /// Reads the reply of `CLUSTER SLOTS`; nil when it is none.
    ///
    /// - Parameter asked: the server that answered: what it does not name an address of is at its own.
    init?(_ reply: RESPValue, asked: RedisEndpoint) {
        guard let ranges = reply.array else { return nil }
        for range in ranges {
            guard let members = range.array, members.count >= 3, let first = members[0].integer,
                let last = members[1].integer, (0..<Int64(RedisSlot.count)).contains(first),
                (first..<Int64(RedisSlot.count)).contains(last), let master = members[2].array, master.count >= 2,
                let port = master[1].integer, (1...65_535).contains(port)
            else { return nil }
            let named = master[0].text ?? ""
            let owner = RedisEndpoint(host: named.isEmpty || named == "?" ? asked.host : named, port: Int(port))
            for slot in Int(first)...Int(last) { owners[slot] = owner }
        }
    }

    subscript(slot: Int) -> RedisEndpoint? {
        get { owners[slot] }
        set { owners[slot] = newValue }
    }

    /// Every server that has a slot.
    var endpoints: Set<RedisEndpoint> { Set(owners.compactMap { $0 }) }

    /// Whether every slot has a server.
    var isComplete: Bool { !owners.contains(nil) }
}

/// Where an error reply of a cluster sends a command.
enum RedisRedirect: Sendable, Hashable {
    /// The slot is there from now on.
    case moved(slot: Int, RedisEndpoint)
    /// This one time; the slot is on its way there.
    case ask(RedisEndpoint)

    /// Reads `MOVED 3999 host:port` and `ASK 3999 host:port`; nil for any other error.
    init?(_ failure: RedisReplyError, from asked: RedisEndpoint) {
        guard failure.code == "MOVED" || failure.code == "ASK" else { return nil }
        let words = failure.words
        guard words.count == 2, let slot = Int(words[0]), (0..<RedisSlot.count).contains(slot) else { return nil }
        // An IPv6 address comes without brackets: the last colon parts off the port.
        guard let colon = words[1].lastIndex(of: ":"), let port = Int(words[1][words[1].index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        let host = String(words[1][..<colon])
        let endpoint = RedisEndpoint(host: host.isEmpty ? asked.host : host, port: port)
        self = failure.code == "MOVED" ? .moved(slot: slot, endpoint) : .ask(endpoint)
    }
}
