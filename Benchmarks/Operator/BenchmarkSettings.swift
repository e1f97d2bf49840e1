// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How much is measured: variables of the environment, each with the value of the full benchmark.
struct BenchmarkSettings {
    /// Of all four kinds together.
    let objects: Int
    /// Namespaces that the objects stand in, beside the daemon's own.
    let namespaces: Int
    /// Objects that the bare client writes.
    let bareObjects: Int
    /// How long idleness is looked at.
    let idle: Duration
    /// Edits of AuthConfigs a second.
    let edits: Int
    /// Revocations of tokens a second; these and the edits are the changes.
    let revocations: Int
    let changing: Duration
    /// Secrets without the label that Tollgate asks for.
    let foreignSecrets: Int
    /// Whether ToolManifests are waited for.
    let awaitsTools: Bool
    /// How many clients make objects at a time.
    let makers = 32
    /// For the first convergence.
    let patience = Duration.seconds(900)
    let tollgate: String

    init(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        func number(_ name: String, _ standard: Int) throws -> Int {
            guard let text = environment["TOLLGATE_BENCH_\(name)"] else { return standard }
            guard let number = Int(text), number >= 0 else {
                throw BenchmarkFault("TOLLGATE_BENCH_\(name) is \"\(text)\": write a number")
            }
            return number
        }
        objects = try number("OBJECTS", 10_000)
        namespaces = max(1, try number("NAMESPACES", 10))
        bareObjects = try number("BARE_OBJECTS", 2000)
        idle = .seconds(try number("IDLE_SECONDS", 90))
        edits = try number("EDITS", 190)
        revocations = try number("REVOCATIONS", 10)
        changing = .seconds(try number("CHANGE_SECONDS", 60))
        foreignSecrets = try number("FOREIGN_SECRETS", 20_000)
        awaitsTools = try number("TOOLS", 1) > 0
        guard let tollgate = environment["TOLLGATE_BENCH_BINARY"] else {
            throw BenchmarkFault("TOLLGATE_BENCH_BINARY is not set: name a release build of tollgate")
        }
        self.tollgate = tollgate
    }
}

/// Why there is nothing to measure.
struct BenchmarkFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
