// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Synchronization

/// The lines of one watch on their way to the client, with the faults that befall them.
final class WatchStream: Sendable {
    private struct State {
        var faults: [APIFault]
        var delivered = 0
        /// Events that wait for another, for faults that change their order or their chunks.
        var held: [[UInt8]] = []
        /// Bytes that wait for the next chunk.
        var rest: [UInt8] = []
        var isOver = false
        var isSilent = false
    }

    private let exchange: Exchange
    private let state: Mutex<State>

    init(exchange: Exchange, faults: [APIFault]) {
        self.exchange = exchange
        state = Mutex(State(faults: faults))
    }

    /// Whether no more comes.
    var isOver: Bool { state.withLock(\.isOver) }

    /// Carries out the faults that come before any event.
    func start() { state.withLock { strike(&$0) } }

    /// Sends an event.
    func send(_ line: [UInt8]) {
        state.withLock { state in
            var lines = [line]
            for fault in state.faults {
                switch fault {
                case .duplicated: lines += lines
                case .swapped:
                    if state.held.isEmpty {
                        state.held = lines
                        lines = []
                    } else {
                        lines += state.held
                        state.held = []
                    }
                case .cutInLine(let after) where after == state.delivered && !state.isOver:
                    write(line.prefix(line.count / 2), &state)
                    state.isOver = true
                    return exchange.cut()
                default: break
                }
            }
            for line in lines { put(line, &state) }
        }
    }

    /// Sends a bookmark, unless there are none here. What waited goes first.
    func sendBookmark(_ line: [UInt8]) {
        state.withLock { state in
            for held in state.held { put(held, &state) }
            state.held = []
            let isUnwanted = state.faults.contains {
                if case .withoutBookmarks = $0 { true } else { false }
            }
            if !isUnwanted { write(line, &state, isFlushed: true) }
        }
    }

    /// Ends it as the server's time-out does.
    func end() {
        state.withLock { state in
            guard !state.isOver else { return }
            for held in state.held { put(held, &state) }
            write([], &state, isFlushed: true)
            state.isOver = true
            exchange.end()
        }
    }

    /// Strikes at once, whatever was delivered.
    func disturb(_ fault: APIFault) { state.withLock { carryOut(fault, &$0) } }

    private func put(_ line: [UInt8], _ state: inout State) {
        write(line, &state)
        state.delivered += 1
        strike(&state)
    }

    private func strike(_ state: inout State) {
        for fault in state.faults where !state.isOver && !state.isSilent {
            switch fault {
            case .gone(let after), .end(let after), .silence(let after), .garbage(let after),
                .oversized(_, let after), .errorEvent(_, _, _, let after):
                if after == state.delivered { carryOut(fault, &state) }
            default: break
            }
        }
    }

    private func carryOut(_ fault: APIFault, _ state: inout State) {
        guard !state.isOver, !state.isSilent else { return }
        switch fault {
        case .gone: fail(APIStatus(410, "Expired", "too old resource version: 1 (2)"), &state)
        case .errorEvent(let code, let reason, let message, _): fail(APIStatus(code, reason, message), &state)
        case .end:
            write([], &state, isFlushed: true)
            state.isOver = true
            exchange.end()
        case .drop, .cutInLine, .cutBody:
            state.isOver = true
            exchange.cut()
        case .silence, .hang: state.isSilent = true
        case .garbage: write(Array("{\"type\":\"ADDED\",\"object\":{nonsense\n".utf8), &state, isFlushed: true)
        case .oversized(let bytes, _):
            let start = Array("{\"type\":\"ADDED\",\"object\":{\"padding\":\"".utf8)
            write(start, &state)
            for _ in 0..<(bytes / 65_536 + 1) { write(Array(repeating: 0x78, count: 65_536), &state) }
            write(Array("\"}}\n".utf8), &state, isFlushed: true)
        default: break
        }
    }

    private func fail(_ status: APIStatus, _ state: inout State) {
        let line = JSONValue.object(["type": "ERROR", "object": status.document]).encoded() + [0x0A]
        write(line, &state, isFlushed: true)
        state.isOver = true
        exchange.end()
    }

    private func write(_ bytes: some Collection<UInt8>, _ state: inout State, isFlushed: Bool = false) {
        guard !state.isOver, !state.isSilent else { return }
        var isBytewise = false
        var merged = 0
        for fault in state.faults {
            switch fault {
            case .bytewise: isBytewise = true
            case .merged(let count): merged = count
            default: break
            }
        }
        guard merged > 1 else {
            if bytes.isEmpty { return }
            return isBytewise ? exchange.writeBytewise(bytes) : exchange.write(bytes)
        }
        state.rest += bytes
        let lines = state.rest.count { $0 == 0x0A }
        guard isFlushed || lines >= merged, !state.rest.isEmpty else { return }
        // The cut falls into the last line, unless nothing comes after it for now.
        let kept = isFlushed ? 0 : min(7, state.rest.count)
        exchange.write(state.rest.dropLast(kept))
        state.rest = Array(state.rest.suffix(kept))
    }
}
