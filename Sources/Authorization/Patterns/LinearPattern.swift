// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A regular expression that the whole text has to match, in time that grows with the length of the text and no faster: it is run as a set of
/// states, without going back (K. Thompson, "Regular Expression Search Algorithm", CACM 11:6, 1968).
package struct LinearPattern: Sendable {
    /// One step of the program.
    private enum Instruction: Sendable {
        case take(ScalarSet)
        case split(Int, Int)
        case jump(Int)
        case accept
    }

    /// Longest text that is matched, in bytes.
    package static let maximumTextBytes = 4096
    private static let maximumInstructions = 1000

    private var program: [Instruction] = []

    /// Compiles a pattern of at most 256 characters.
    ///
    /// - Throws: `tooLarge`, `notSupported`, `malformed`.
    package init(_ text: String) throws(PatternError) {
        var parser = try PatternParser(text)
        try append(try parser.parse())
        try append(.accept)
    }

    /// Number of instructions: what matching costs for each character.
    package var size: Int { program.count }

    /// Whether the whole text matches.
    package func matches(_ text: String) -> Bool {
        var present = StateSet(count: program.count)
        var next = StateSet(count: program.count)
        var stack: [Int] = []
        follow(0, into: &present, &stack)
        for scalar in text.unicodeScalars {
            if present.members.isEmpty { return false }
            for state in present.members {
                if case .take(let set) = program[state], set.contains(scalar.value) {
                    follow(state + 1, into: &next, &stack)
                }
            }
            swap(&present, &next)
            next.removeAll()
        }
        return present.members.contains(program.count - 1)
    }

    /// Adds a state with all that can be reached without a character.
    private func follow(_ start: Int, into set: inout StateSet, _ stack: inout [Int]) {
        stack.append(start)
        while let state = stack.popLast() {
            switch program[state] {
            case .take, .accept: set.insert(state)
            case .jump(let target): if set.visit(state) { stack.append(target) }
            case .split(let first, let second):
                if set.visit(state) {
                    stack.append(second)
                    stack.append(first)
                }
            }
        }
    }

    // MARK: Compiling

    private mutating func append(_ instruction: Instruction) throws(PatternError) {
        guard program.count < Self.maximumInstructions else {
            throw PatternError(.tooLarge, "it is too large when its repetitions are written out")
        }
        program.append(instruction)
    }

    private mutating func append(_ node: PatternNode) throws(PatternError) {
        switch node {
        case .empty: break
        case .one(let set): try append(.take(set))
        case .sequence(let parts): for part in parts { try append(part) }
        case .either(let branches): try appendEither(branches[...])
        case .repeated(let body, let least, let most): try appendRepeated(body, least, most)
        }
    }

    private mutating func appendEither(_ branches: ArraySlice<PatternNode>) throws(PatternError) {
        var ends: [Int] = []
        for (index, branch) in branches.enumerated() {
            guard index < branches.count - 1 else {
                try append(branch)
                break
            }
            let split = program.count
            try append(.split(0, 0))
            try append(branch)
            ends.append(program.count)
            try append(.jump(0))
            program[split] = .split(split + 1, program.count)
        }
        for end in ends { program[end] = .jump(program.count) }
    }

    private mutating func appendRepeated(_ body: PatternNode, _ least: Int, _ most: Int?) throws(PatternError) {
        let start = program.count
        for index in 0..<least {
            // A body that matches nothing but the empty text is written once: nested, it would be written for ever.
            if index == 1, program.count == start { return }
            try append(body)
        }
        guard let most else {
            let split = program.count
            try append(.split(0, 0))
            try append(body)
            try append(.jump(split))
            program[split] = .split(split + 1, program.count)
            return
        }
        var splits: [Int] = []
        for _ in least..<max(least, most) {
            splits.append(program.count)
            try append(.split(0, 0))
            try append(body)
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
    }
}

/// States of a running pattern: which are there, and which were passed through on the way.
private struct StateSet {
    private(set) var members: [Int] = []
    private var seen: [Bool]

    init(count: Int) { seen = [Bool](repeating: false, count: count) }

    mutating func insert(_ state: Int) {
        guard visit(state) else { return }
        members.append(state)
    }

    /// - Returns: false when the state was visited before.
    mutating func visit(_ state: Int) -> Bool {
        guard !seen[state] else { return false }
        seen[state] = true
        return true
    }

    mutating func removeAll() {
        members.removeAll(keepingCapacity: true)
        for index in seen.indices { seen[index] = false }
    }
}
