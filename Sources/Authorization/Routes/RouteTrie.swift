// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// The compiled tree: flat arrays and one hash table for all literal segments. A look-up allocates nothing and costs what the path's own
/// segments cost, however many rules other paths have.
struct RouteTrie: Sendable {
    private struct Node: Sendable {
        var capture: Int32
        var exact: Range<Int32>
        var tail: Range<Int32>
        var lowest: Int32
        var hasLiterals: Bool
    }

    private struct Slot: Sendable {
        /// -1 = free.
        var parent: Int32 = -1
        var child: Int32 = 0
        var hash: UInt32 = 0
        var start: Int32 = 0
        var length: Int32 = 0
    }

    private var nodes: [Node] = []
    private var candidates: [RouteTrieBuilder.Candidate] = []
    private var slots: [Slot] = []
    private var pool: [UInt8] = []

    init(_ builder: RouteTrieBuilder) {
        var entries: [(parent: Int, bytes: [UInt8], child: Int)] = []
        for (number, node) in builder.nodes.enumerated() {
            let exact = append(node.exact)
            let tail = append(node.tail)
            nodes.append(
                Node(
                    capture: Int32(node.capture ?? -1), exact: exact, tail: tail, lowest: node.lowest,
                    hasLiterals: !node.literals.isEmpty))
            entries += node.literals.map { (number, $0.key, $0.value) }
        }
        var size = 8
        while size < entries.count * 2 { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        for entry in entries {
            let hash = entry.bytes.reduce(Self.seed(Int32(entry.parent))) { Self.mix($0, $1) }
            var place = Int(hash) & (size - 1)
            while slots[place].parent >= 0 { place = (place + 1) & (size - 1) }
            slots[place] = Slot(
                parent: Int32(entry.parent), child: Int32(entry.child), hash: hash, start: Int32(pool.count),
                length: Int32(entry.bytes.count))
            pool += entry.bytes
        }
    }

    private mutating func append(_ list: [RouteTrieBuilder.Candidate]) -> Range<Int32> {
        let start = Int32(candidates.count)
        candidates += list.sorted { $0.rule < $1.rule }
        return start..<Int32(candidates.count)
    }

    private static func seed(_ node: Int32) -> UInt32 { 2_166_136_261 ^ UInt32(bitPattern: node) &* 0x9E37_79B1 }
    private static func mix(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 16_777_619 }

    /// The first rule, in the order of the list, that covers the path with that method.
    func firstMatch(_ path: UnsafeBufferPointer<UInt8>, method: MethodTable.Bits) -> Int? {
        var best = Int32.max
        visit(0, at: path.count == 1 ? 2 : 1, path, method, &best)
        return best == .max ? nil : Int(best)
    }

    /// `start` is where the next segment begins; beyond the path's end there is none.
    private func visit(
        _ number: Int32, at start: Int, _ path: UnsafeBufferPointer<UInt8>, _ method: MethodTable.Bits,
        _ best: inout Int32
    ) {
        let node = nodes[Int(number)]
        guard node.lowest < best else { return }
        take(node.tail, method, &best)
        guard start <= path.count else {
            take(node.exact, method, &best)
            return
        }
        var hash = Self.seed(number)
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") {
            hash = Self.mix(hash, path[end])
            end += 1
        }
        if node.hasLiterals, let child = literal(number, hash, UnsafeBufferPointer(rebasing: path[start..<end])) {
            visit(child, at: end + 1, path, method, &best)
        }
        if node.capture >= 0 { visit(node.capture, at: end + 1, path, method, &best) }
    }

    private func take(_ range: Range<Int32>, _ method: MethodTable.Bits, _ best: inout Int32) {
        for index in range {
            let candidate = candidates[Int(index)]
            if candidate.rule >= best { return }
            if candidate.methods & method != 0 {
                best = candidate.rule
                return
            }
        }
    }

    private func literal(_ parent: Int32, _ hash: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
        var place = Int(hash) & (slots.count - 1)
        while true {
            let slot = slots[place]
            if slot.parent < 0 { return nil }
            if slot.parent == parent, slot.hash == hash, Int(slot.length) == bytes.count,
                equal(Int(slot.start), bytes)
            {
                return slot.child
            }
            place = (place + 1) & (slots.count - 1)
        }
    }

    private func equal(_ start: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        for index in 0..<bytes.count where pool[start + index] != bytes[index] { return false }
        return true
    }
}
