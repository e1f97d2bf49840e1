// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Subprocess

/// A port of this machine that `kubectl port-forward` leads to a Service, for the time of a body.
package struct PortForward: Sendable {
    /// Why there is no such port.
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    private static let maximumErrorBytes = 1 << 14

    /// What kubectl is asked for, without `port-forward` and what belongs to it.
    let arguments: [String]
    let environment: [String: String]

    /// - Parameters:
    ///   - service: its name.
    ///   - port: the port of the Service.
    ///   - selection: `--kubeconfig` and `--context` with their values, where they were given.
    ///   - environment: all that kubectl gets; it is looked for along its PATH.
    package init(
        service: String, namespace: String, port: Int, selection: [String], environment: [String: String]
    ) {
        arguments =
            selection + [
                "--namespace", namespace, "port-forward", "--address", "127.0.0.1", "service/\(service)", ":\(port)",
            ]
        self.environment = environment
    }

    /// Runs the body with the local port while kubectl forwards.
    ///
    /// - Parameter limit: how long kubectl may take until it forwards.
    /// - Throws: `Fault` with what kubectl said, and whatever the body throws.
    @concurrent
    package func with<Value: Sendable>(
        limit: Duration, clock: any MonotonicClock, _ body: @Sendable (Int) async throws -> Value
    ) async throws -> Value {
        var variables: [Environment.Key: String] = [:]
        for (name, value) in environment {
            if let key = Environment.Key(rawValue: name) { variables[key] = value }
        }
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
        let end = [TeardownStep.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
        let outcome: (value: Value?, errors: [UInt8])
        do {
            let result = try await Subprocess.run(
                .name("kubectl"), arguments: Arguments(arguments), environment: .custom(variables),
                platformOptions: options, input: .none, output: .sequence,
                error: .bytes(limit: Self.maximumErrorBytes)
            ) { execution -> Result<Value?, any Error> in
                let port = await clock.limited(to: limit) {
                    await withTaskCancellationHandler {
                        await Self.port(in: execution.standardOutput)
                    } onCancel: {
                        // One that has ended needs no signal.
                        try? execution.send(signal: .terminate)
                    }
                }
                let result: Result<Value?, any Error>
                do {
                    if let port = port ?? nil {
                        result = .success(try await body(port))
                    } else {
                        result = .success(nil)
                    }
                } catch {
                    result = .failure(error)
                }
                await execution.teardown(using: end)
                return result
            }
            outcome = (try result.closureResult.get(), result.standardError)
        } catch let error as SubprocessError {
            throw Fault(description: "kubectl cannot be run: \(error)")
        }
        guard let value = outcome.value else {
            let said = ASCII.trimmed(String(decoding: outcome.errors, as: UTF8.self))
            throw Fault(
                description:
                    "kubectl port-forward does not forward\(said.isEmpty ? " within \(limit.wholeSeconds) s" : ": \(said)")"
            )
        }
        return value
    }

    private static func port(in output: SubprocessOutputSequence) async -> Int? {
        do {
            for try await line in output.strings() {
                if let port = port(inLine: line) { return port }
            }
        } catch {
            // Output that cannot be read names no port, and is told as such.
        }
        return nil
    }

    /// The local port of `Forwarding from 127.0.0.1:40123 -> 8080`; nil for every other line.
    static func port(inLine line: String) -> Int? {
        let start = "Forwarding from 127.0.0.1:"
        guard line.hasPrefix(start) else { return nil }
        let digits = line.dropFirst(start.count).prefix { $0.isASCII && $0.isNumber }
        guard line.dropFirst(start.count + digits.count).hasPrefix(" -> "), let port = Int(digits),
            (1...65_535).contains(port)
        else { return nil }
        return port
    }
}
