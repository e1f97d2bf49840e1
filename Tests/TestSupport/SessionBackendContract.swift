// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authentication
internal import Essentials

/// What every place that keeps sessions must do.
package struct SessionBackendContract: Sendable {
    /// Makes an empty backend.
    package let makeBackend: @Sendable () -> any SessionBackend

    package init(makeBackend: @escaping @Sendable () -> any SessionBackend) { self.makeBackend = makeBackend }

    private static let now = SystemWallClock().now()

    /// Runs all of it.
    package func check() async throws {
        try await keepsAndReplaces()
        try await forgets()
        try await replacesOnlyWhatIsThere()
        try await knowsWhoseTheyAre()
        try await findsByHandles()
        try await locks()
    }

    private func findsByHandles() async throws {
        let backend = makeBackend()
        let (one, two) = (String(repeating: "1a", count: 32), String(repeating: "2b", count: 32))
        for key in [one, two] { try await backend.put(entry(key, [1]), at: Self.now) }
        let handle = String(one.prefix(16))
        try ContractBroken.hold(try await backend.key(ofHandle: handle, at: Self.now) == "kc:session:\(one)")
        try ContractBroken.hold(try await backend.key(ofHandle: "0", at: Self.now) == nil)
        try await backend.remove("kc:session:\(one)", user: "kc:session:user:u")
        try ContractBroken.hold(try await backend.key(ofHandle: handle, at: Self.now) == nil)
    }

    private func entry(_ key: String, user: String? = "kc:session:user:u", _ value: [UInt8], seconds: Int64 = 600)
        -> SessionEntry
    {
        SessionEntry(key: "kc:session:\(key)", user: user, value: value, expiresAt: Self.now.adding(seconds: seconds))
    }

    private func keepsAndReplaces() async throws {
        let backend = makeBackend()
        try ContractBroken.hold(try await backend.entry("kc:session:a", at: Self.now) == nil)
        let bytes = (0...255).map { UInt8($0) }
        try await backend.put(entry("a", bytes), at: Self.now)
        let found = try await backend.entry("kc:session:a", at: Self.now)
        try ContractBroken.hold(found?.value == bytes)
        let left = (found?.expiresAt.seconds ?? 0) - Self.now.seconds
        try ContractBroken.hold((300...601).contains(left))
        try await backend.put(entry("a", [1]), at: Self.now)
        try ContractBroken.hold(try await backend.entry("kc:session:a", at: Self.now)?.value == [1])
    }

    private func forgets() async throws {
        let backend = makeBackend()
        try await backend.put(entry("a", [1]), at: Self.now)
        try await backend.remove("kc:session:a", user: "kc:session:user:u")
        try await backend.remove("kc:session:a", user: "kc:session:user:u")
        try ContractBroken.hold(try await backend.entry("kc:session:a", at: Self.now) == nil)
        try ContractBroken.hold(try await backend.keys(ofUser: "kc:session:user:u", at: Self.now).isEmpty)
        // What has expired already is not kept, and replaces what was there.
        try await backend.put(entry("b", [1]), at: Self.now)
        try await backend.put(entry("b", [2], seconds: 0), at: Self.now)
        try ContractBroken.hold(try await backend.entry("kc:session:b", at: Self.now) == nil)
    }

    private func replacesOnlyWhatIsThere() async throws {
        let backend = makeBackend()
        try await backend.replace(entry("a", [1]), at: Self.now)
        try ContractBroken.hold(try await backend.entry("kc:session:a", at: Self.now) == nil)
        try await backend.put(entry("a", [1]), at: Self.now)
        try await backend.replace(entry("a", [2]), at: Self.now)
        try ContractBroken.hold(try await backend.entry("kc:session:a", at: Self.now)?.value == [2])
        try await backend.remove("kc:session:a", user: "kc:session:user:u")
        try await backend.replace(entry("a", [3]), at: Self.now)
        try ContractBroken.hold(try await backend.entry("kc:session:a", at: Self.now) == nil)
        try ContractBroken.hold(try await backend.keys(ofUser: "kc:session:user:u", at: Self.now).isEmpty)
    }

    private func knowsWhoseTheyAre() async throws {
        let backend = makeBackend()
        for key in ["b", "a"] { try await backend.put(entry(key, [1]), at: Self.now) }
        try await backend.put(entry("c", user: "kc:session:user:v", [1]), at: Self.now)
        try ContractBroken.hold(
            try await backend.keys(ofUser: "kc:session:user:u", at: Self.now) == ["kc:session:a", "kc:session:b"])
        try await backend.remove("kc:session:a", user: "kc:session:user:u")
        try ContractBroken.hold(
            try await backend.keys(ofUser: "kc:session:user:u", at: Self.now) == ["kc:session:b"])
    }

    private func locks() async throws {
        let backend = makeBackend()
        let long = Duration.seconds(600)
        try ContractBroken.hold(try await backend.lock("kc:session:lock:a", owner: "x", for: long, at: Self.now))
        try ContractBroken.hold(try await backend.lock("kc:session:lock:a", owner: "x", for: long, at: Self.now))
        try ContractBroken.hold(!(try await backend.lock("kc:session:lock:a", owner: "y", for: long, at: Self.now)))
        try ContractBroken.hold(try await backend.lock("kc:session:lock:b", owner: "y", for: long, at: Self.now))
        try await backend.unlock("kc:session:lock:a", owner: "y")
        try ContractBroken.hold(!(try await backend.lock("kc:session:lock:a", owner: "y", for: long, at: Self.now)))
        try await backend.unlock("kc:session:lock:a", owner: "x")
        try ContractBroken.hold(try await backend.lock("kc:session:lock:a", owner: "y", for: long, at: Self.now))
    }
}
