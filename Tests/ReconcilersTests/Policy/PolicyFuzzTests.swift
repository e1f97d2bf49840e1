// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials
internal import RuntimeState
internal import TestSupport
internal import Testing

/// Whatever a source says, something sound is in force.
@Suite struct PolicyFuzzTests {
    /// A text with some bytes changed, taken away, doubled or cut off.
    private func damaged(_ text: String, _ random: SeededRandom) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0...random.below(4) where !bytes.isEmpty {
            let place = random.below(bytes.count)
            switch random.below(5) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[random.below(bytes.count)], at: place)
            case 3: bytes.removeLast(random.below(bytes.count))
            default: bytes[place] = Array("{}[]:,\"*#&|- \n".utf8)[random.below(14)]
            }
        }
        return bytes
    }

    @Test func damagedTextsNeverPutAnythingUnsoundInForce() async throws {
        let random = SeededRandom(seed: 5)
        let source = FakePolicySource()
        let world = try PolicyWorld([source])
        let routes = "version: 1\nrules:\n  - {methods: [GET], path: \"/a/{id}\", permission: \"tasks:read\"}\n"
        var refused = 0
        for _ in 0..<FuzzCases.count(400) {
            let good = world.keeper.state
            source.say(
                PolicyTexts(
                    roles: random.below(2) == 0 ? damaged(BuiltInPolicy.rolesJSON, random) : nil,
                    routes: random.below(2) == 0 ? damaged(routes, random) : Array(routes.utf8)))
            await world.keeper.refresh()
            let state = world.keeper.state
            if let error = state.lastError {
                refused += 1
                #expect(state.policy === good.policy)
                #expect(!error.problems.isEmpty && !error.problems.contains { $0.problem.isEmpty })
            }
            // What is in force compiles again to the same.
            if state.policy !== good.policy {
                #expect(try state.documents.compile(PolicySettings()).revision == state.revision)
            }
        }
        #expect(refused > 50)
    }

    /// Any JSON in the place of the documents.
    private func value(_ random: SeededRandom, depth: Int) -> JSONValue {
        let names = ["roles", "version", "rules", "permissions", "inherits", "editor", "methods", "path", "public"]
        switch random.below(depth > 0 ? 8 : 6) {
        case 0: return .null
        case 1: return .bool(random.below(2) == 0)
        case 2: return .int(Int64(random.below(3)))
        case 3: return .string(["editor", "a:b", "/x", "/**", "*", "GET", ""][random.below(7)])
        case 4: return .double(0.5)
        case 5: return .array([])
        case 6: return .array((0..<random.below(4)).map { _ in value(random, depth: depth - 1) })
        default:
            return .object(
                JSONObject(
                    (0..<random.below(5)).map { _ in (names[random.below(names.count)], value(random, depth: depth - 1))
                    }))
        }
    }

    @Test func randomDocumentsAreJudgedAndNeverStored() throws {
        let random = SeededRandom(seed: 6)
        let world = try PolicyWorld([FakePolicySource()])
        let before = world.revision
        for _ in 0..<FuzzCases.count(2000) {
            let problems = world.keeper.problems(roles: value(random, depth: 4), routes: value(random, depth: 4))
            #expect(problems.allSatisfy { !$0.text.isEmpty })
        }
        #expect(world.revision == before)
    }
}
