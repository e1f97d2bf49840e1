// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// A child process of a test: started without input, its output kept in a file, ended by its id.
///
/// Use `PeerProcess.with`, which ends it whatever happens. What outlives a killed test run is ended by `Scripts/test.sh`, which knows its
/// children by the variable `TOLLGATE_TEST_RUN`.
package final class PeerProcess: Sendable {
    /// What it is called in messages.
    package let name: String
    /// The process id.
    package let id: Int32
    private let outputPath: String
    private let status = Mutex<Int32?>(nil)

    /// Starts a program.
    ///
    /// - Parameter environment: all that the child gets beside `PATH`, `HOME` (its folder) and the mark of the test run.
    package init(
        name: String, executable: String, arguments: [String], environment: [String: String] = [:],
        folder: TemporaryDirectory
    ) throws {
        self.name = name
        self.outputPath = folder.path("\(name)-\(UUID().uuidString.prefix(8)).log")
        let own = ProcessInfo.processInfo.environment
        var variables = ["PATH": own["PATH"] ?? "/usr/bin:/bin", "HOME": folder.path]
        variables["TOLLGATE_TEST_RUN"] = own["TOLLGATE_TEST_RUN"]
        variables.merge(environment) { $1 }
        self.id = try Self.spawn(
            [executable] + arguments, environment: variables.map { "\($0.key)=\($0.value)" }, output: outputPath)
    }

    /// Runs `body` while the program runs, then ends it: SIGTERM, and SIGKILL if that does not help within `patience`.
    package static func with<Value>(
        name: String, executable: String, arguments: [String], environment: [String: String] = [:],
        folder: TemporaryDirectory, patience: Duration = .seconds(10), body: (PeerProcess) async throws -> Value
    ) async throws -> Value {
        let process = try PeerProcess(
            name: name, executable: executable, arguments: arguments, environment: environment, folder: folder)
        do {
            let value = try await body(process)
            await process.end(patience: patience)
            return value
        } catch {
            await process.end(patience: patience)
            throw error
        }
    }

    /// Runs a program to its end.
    ///
    /// - Returns: its exit status (128 + signal if one ended it) and everything it wrote.
    package static func run(
        name: String, executable: String, arguments: [String], environment: [String: String] = [:],
        folder: TemporaryDirectory, within limit: Duration = .seconds(60)
    ) async throws -> (status: Int32, output: String) {
        try await with(
            name: name, executable: executable, arguments: arguments, environment: environment, folder: folder
        ) { process in
            let status = try await Eventually.value("\(name) to end", within: limit) { process.exitStatus }
            return (status, process.output)
        }
    }

    /// Everything it has written so far, standard output and error together.
    package var output: String {
        // A file that is not there yet holds nothing yet.
        String(decoding: (try? Data(contentsOf: URL(filePath: outputPath))) ?? Data(), as: UTF8.self)
    }

    /// The exit status, 128 + signal if a signal ended it; nil while it runs.
    package var exitStatus: Int32? {
        status.withLock { known in
            if let known { return known }
            var raw: Int32 = 0
            guard waitpid(id, &raw, WNOHANG) == id else { return nil }
            known = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
            return known
        }
    }

    /// Sends a signal unless it has ended.
    package func signal(_ number: Int32) {
        guard exitStatus == nil else { return }
        kill(id, number)
    }

    /// Waits for a condition, and gives up at once when the process ends.
    ///
    /// - Throws: `PeerFault` with the end of the output when it ended, `WaitedInVain` at the limit.
    package func wait(
        for what: String, within limit: Duration = .seconds(120), probe: () async throws -> Bool
    ) async throws {
        do {
            try await Eventually.holds(what, within: limit) {
                if try await probe() { return true }
                if let exitStatus {
                    throw PeerFault(
                        message: "\(name) ended with \(exitStatus) before \(what):\n\(output.suffix(2_000))")
                }
                return false
            }
        } catch let vain as WaitedInVain {
            throw PeerFault(message: "\(name): \(vain); its output ends:\n\(output.suffix(2_000))")
        }
    }

    /// Waits until a port of 127.0.0.1 answers with a status.
    package func wait(
        forStatus wanted: Int, of path: String, port: Int, headers: [(String, String)] = [],
        within limit: Duration = .seconds(120)
    ) async throws {
        try await wait(for: "status \(wanted) of \(path)", within: limit) {
            // Until it listens there is nobody to answer.
            let answer = try? await PlainHTTP.send("GET", path, port: port, headers: headers)
            return answer?.status == wanted
        }
    }

    /// Waits until a port of 127.0.0.1 accepts connections.
    package func wait(forPort port: Int, within limit: Duration = .seconds(120)) async throws {
        try await wait(for: "port \(port)", within: limit) { await PlainHTTP.accepts(port: port) }
    }

    /// Waits for a text in its output.
    package func wait(forOutput text: String, within limit: Duration = .seconds(120)) async throws {
        try await wait(for: "\"\(text)\" in its output", within: limit) { output.contains(text) }
    }

    /// Kills it as a power cut would and waits until it is gone.
    package func killNow() async throws {
        signal(SIGKILL)
        try await Eventually.holds("\(name) to be gone", within: .seconds(60)) { exitStatus != nil }
    }

    /// Asks it to end and makes it if it does not.
    ///
    /// - Returns: whether it ended by itself in time.
    @discardableResult
    package func end(patience: Duration = .seconds(10)) async -> Bool {
        signal(SIGTERM)
        // That it did not end in time is the answer, not a fault; a cancelled test must go on to the kill.
        if (try? await Eventually.holds("\(name) to end", within: patience) { exitStatus != nil }) != nil {
            return true
        }
        signal(SIGKILL)
        var raw: Int32 = 0
        status.withLock { known in
            guard known == nil, waitpid(id, &raw, 0) == id else { return }
            known = 128 + (raw & 0x7f)
        }
        return false
    }

    private static func spawn(_ arguments: [String], environment: [String], output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Sockets are not closed by themselves: a peer that kept a listener of this process would hold its port.
        try closeInherited(&actions)
        // The threads of a Swift program block signals, and a child inherits that: it could not be asked to end.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var id: pid_t = 0
        let result = posix_spawn(&id, arguments[0], &actions, &attributes, argv, envp)
        guard result == 0 else { throw PeerFault(message: "\(arguments[0]) does not start: errno \(result)") }
        return id
    }

    /// Has the child close everything but input, output and errors.
    private static func closeInherited(_ actions: inout posix_spawn_file_actions_t) throws {
        typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, CInt) -> CInt
        // The headers show it to nobody who does not ask for GNU's own.
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            throw PeerFault(message: "this C library has no posix_spawn_file_actions_addclosefrom_np; glibc 2.34 has")
        }
        let add = unsafeBitCast(symbol, to: AddCloseFrom.self)
        guard add(&actions, 3) == 0 else { throw PeerFault(message: "no memory for another process") }
    }
}
