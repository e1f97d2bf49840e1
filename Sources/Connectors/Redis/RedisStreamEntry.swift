// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// An entry of a stream.
struct RedisStreamEntry: Sendable, Hashable {
    let id: String
    let fields: [String: [UInt8]]

    /// The text of a field.
    func text(_ name: String) -> String? { fields[name].map { String(decoding: $0, as: UTF8.self) } }

    /// When it was added, by Redis' clock; nil for what is no time of this age: anybody may name an entry.
    var milliseconds: Int64? {
        Int64(id.prefix { $0 != "-" }).flatMap { (0...Int64(1) << 43).contains($0) ? $0 : nil }
    }

    /// Reads one entry; nil for anything else, and for one that was deleted.
    init?(_ reply: RESPValue) {
        guard let members = reply.array, members.count == 2, let id = members[0].text, let values = members[1].array,
            values.count.isMultiple(of: 2)
        else { return nil }
        self.id = id
        var fields: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: values.count, by: 2) {
            guard let name = values[index].text, let value = values[index + 1].bytes else { return nil }
            fields[name] = value
        }
        self.fields = fields
    }

    /// The entries of the first stream in the reply of `XREAD` or `XREADGROUP`; none where there is nothing new.
    static func read(_ reply: RESPValue) -> [RedisStreamEntry] {
        guard let stream = reply.array?.first?.array, stream.count == 2 else { return [] }
        return list(stream[1])
    }

    /// The entries of a list.
    static func list(_ reply: RESPValue) -> [RedisStreamEntry] {
        reply.array?.compactMap { RedisStreamEntry($0) } ?? []
    }
}
