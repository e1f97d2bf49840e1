// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import Essentials
internal import Logging
internal import Synchronization

extension AuditLog {
    /// Takes the lock, repairs what a killed process left, begins a new segment and accepts entries from then on.
    ///
    /// - Throws: `locked`, `unreadable`, `unwritable`, `key` or `settings`.
    package func open() throws(AuditError) {
        guard AuditSettings.isWriterName(settings.writer) else {
            throw AuditError(code: .settings, message: "\(settings.writer) is no name for a writer")
        }
        if let key = settings.hmacKey, key.revealed.count < 32 {
            throw AuditError(code: .settings, message: "the key of the audit chain needs at least 32 bytes")
        }
        try AuditFiles.makeDirectory(settings.writerDirectory)
        let lock = try AuditFiles.lock(settings.writerDirectory)
        do throws(AuditError) {
            let secret = try cursorKey()
            let hasher = ChainHasher(key: settings.hmacKey)
            let found = try SegmentRecovery.recover(
                directory: settings.writerDirectory, hasher: hasher, now: clock.now())
            trail.begin(syncedThrough: found.position.nextSequence - 1)
            cursor.withLock { $0 = AuditCursor(key: secret) }
            try writer.start(at: found.position, lock: lock, hasher: hasher, calls: calls)
            tell(found.report)
        } catch {
            closeDescriptor(lock)
            throw error
        }
    }

    /// 32 bytes that sign cursors, made once a directory.
    private func cursorKey() throws(AuditError) -> [UInt8] {
        if let key = settings.cursorKey?.revealed {
            guard key.count == 32 else {
                throw AuditError(code: .key, message: "the key of cursors has \(key.count) bytes, not 32")
            }
            return key
        }
        let path = "\(settings.directory)/.cursor-key"
        if AuditFiles.size(path) == nil {
            do throws(AuditError) {
                try AuditFiles.create(path, random.bytes(32))
            } catch  where AuditFiles.size(path) != nil {
                // Another process of this directory made it in the same moment.
            }
        }
        let key = try AuditFiles.read(path)
        guard key.count == 32 else { throw AuditError(code: .unreadable, message: "\(path) does not hold 32 bytes") }
        return key
    }

    private func tell(_ report: RecoveryReport) {
        if let torn = report.torn {
            logger.warning("audit segment recovered", metadata: [LogKeys.file: "\(torn.file)"])
            system(
                "audit.recovered", resource: torn.file, outcome: .success,
                metadata: ["file": .string(torn.file), "lost_bytes": .int(Int64(torn.bytes))])
        }
        if let file = report.corrupt {
            logger.error("audit segment is damaged", metadata: [LogKeys.file: "\(file)"])
            metrics.corruption.increment()
            corrupt.withLock { $0 = file }
            system("audit.corruption", resource: file, outcome: .failure, metadata: ["file": .string(file)])
        }
    }

    private func system(_ action: String, resource: String, outcome: AuditDraft.Outcome, metadata: JSONObject) {
        let draft = AuditDraft(
            actor: "system", action: action, resource: resource, outcome: outcome, metadata: metadata)
        writer.follow(mailbox.put(preparer.prepare(draft), now: clock.now(), beyondCapacity: true))
    }

    /// Runs until it is cancelled or closed: brings entries into the index, ends folded entries, rotates, compresses and deletes segments, logs the
    /// head. When it returns, everything that was accepted is written and the segment is closed.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.tickUntilClosed() }
            if let feeder { group.addTask { await feeder.run() } }
            group.addTask { await self.runKeeper() }
            await group.next()
            feeder?.stop()
            keeper.stop()
            group.cancelAll()
        }
        await close()
    }

    private func runKeeper() async {
        await keeper.run(open: { self.writer.openSegment }) { await self.isRecorded($0) }
    }

    private func isRecorded(_ draft: AuditDraft) async -> Bool {
        do throws(Refusal) {
            try await record(draft)
            return true
        } catch {
            // It is due again at the next pass.
            return false
        }
    }

    /// Compresses and deletes what is due now.
    package func keep() async {
        await keeper.keep(open: writer.openSegment) { await self.isRecorded($0) }
    }

    private func tickUntilClosed() async {
        while !Task.isCancelled, !mailbox.isClosed {
            do {
                try await Task.sleep(for: .milliseconds(500))
            } catch {
                // Cancelled: the service ends.
                return
            }
            tick()
        }
    }

    /// What is due from time to time.
    package func tick() {
        let now = clock.now()
        flushFolded(endedAt: now)
        writer.tick(now: now)
        keeper.tick(now: now)
        feeder?.nudge()
    }

    /// Writes everything that was accepted, ends the segment with its trailer and gives the lock back. Nothing is accepted afterwards. It may be
    /// called more than once.
    package func close() async {
        flushFolded(endedAt: nil)
        mailbox.close()
        feeder?.stop()
        keeper.stop()
        await writer.finish { self.keeper.packLast() }
        await feeder?.feed()
    }
}
