// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
internal import Foundation
package import Logging
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Listens to what other sessions announce, on a connection and a thread of its own.
package struct PostgreSQLListener: Sendable {
    /// How long the connection may be silent before it is asked for a sign of life.
    package static let silence = Duration.seconds(5)
    /// How often the thread looks whether it is to end.
    private static let watch = Duration.milliseconds(250)

    private let settings: PostgreSQLSettings
    private let log: PostgreSQLLog
    private let clock: any MonotonicClock
    private let random: any RandomSource

    /// A listener; it connects when it runs.
    package init(
        _ settings: PostgreSQLSettings, logger: Logger, clock: any MonotonicClock = SystemMonotonicClock(),
        random: any RandomSource = SystemRandomSource()
    ) {
        var settings = settings
        settings.applicationName += " listener"
        self.settings = settings
        self.clock = clock
        self.random = random
        log = PostgreSQLLog(logger: logger)
    }

    /// Listens until the task is cancelled, again and again after the connection was lost. All three are called on the listener's thread and must
    /// return soon.
    ///
    /// - Parameters:
    ///   - channel: a constant of the program.
    ///   - onNotice: something was announced, once or several times.
    ///   - onText: the same, with the text of each announcement.
    ///   - onUp: announcements from now on are heard. What was announced before was missed: look yourself.
    ///   - onDown: announcements are missed from now on, or may have been for a while. Also called when the first try to connect fails.
    package func run(
        channel: String, onNotice: @escaping @Sendable () -> Void,
        onText: @escaping @Sendable (String) -> Void = { _ in }, onUp: @escaping @Sendable () -> Void,
        onDown: @escaping @Sendable (PostgreSQLError) -> Void
    ) async {
        let end = ListenerEnd()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let thread = Thread {
                    work(
                        channel, end,
                        onNotice: { texts in
                            onNotice()
                            for text in texts { onText(text) }
                        }, onUp: onUp, onDown: onDown)
                    continuation.resume()
                }
                thread.name = "postgresql-listen"
                thread.stackSize = 1 << 20
                thread.start()
            }
        } onCancel: {
            end.call()
        }
    }

    private func work(
        _ channel: String, _ end: ListenerEnd, onNotice: ([String]) -> Void, onUp: () -> Void,
        onDown: (PostgreSQLError) -> Void
    ) {
        var backoff = PostgreSQLBackoff()
        while !end.isCalled {
            do throws(PostgreSQLError) {
                let connection = try PostgreSQLConnection(settings, clock: clock)
                _ = try connection.exchange([.direct(PostgreSQLStatement("LISTEN \"\(channel)\""))])
                if backoff.succeeded() { log.reachable(settings.address) }
                onUp()
                try listen(on: connection, end, onNotice)
            } catch {
                if backoff.failed(error, at: clock.now(), draw: random.bytes(1).first.map { Double($0) / 256 } ?? 0) {
                    log.unreachable(error)
                }
                onDown(error)
                while backoff.refusal(at: clock.now()) != nil, !end.isCalled { end.wait(for: .milliseconds(50)) }
            }
        }
    }

    private func tell(_ connection: PostgreSQLConnection, _ onNotice: ([String]) -> Void) throws(PostgreSQLError) {
        let texts = try connection.takeNotices()
        if !texts.isEmpty { onNotice(texts) }
    }

    private func listen(
        on connection: PostgreSQLConnection, _ end: ListenerEnd, _ onNotice: ([String]) -> Void
    ) throws(PostgreSQLError) {
        var heard = clock.now()
        while !end.isCalled {
            var descriptor = pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, Int32(Self.watch.wholeMicroseconds / 1000)) > 0 {
                try tell(connection, onNotice)
                heard = clock.now()
            }
            guard clock.now() - heard >= Self.silence else { continue }
            // A network that was cut says nothing either: the connection must show that it lives.
            _ = try connection.exchange([.direct(PostgreSQLStatement("SELECT 1"))])
            try tell(connection, onNotice)
            heard = clock.now()
        }
    }
}

/// Whether a listener is to end.
private final class ListenerEnd: Sendable {
    private let isOver = Mutex(false)
    private let semaphore = DispatchSemaphore(value: 0)

    var isCalled: Bool { isOver.withLock(\.self) }

    func call() {
        isOver.withLock { $0 = true }
        semaphore.signal()
    }

    func wait(for duration: Duration) {
        _ = semaphore.wait(timeout: .now() + .microseconds(Int(duration.wholeMicroseconds)))
    }
}
