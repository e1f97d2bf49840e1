// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Essentials

/// Where the index of the audit trail is kept.
enum AuditIndexKind: String, Sendable, CaseIterable {
    case sqlite
    case postgres
    case memory
}

extension SettingsCatalog {
    static let writer = Setting(
        "TOLLGATE_WRITER", .text("text", expected: "[a-z0-9.-]{1,63}", where: NameRules.isWriter),
        defaultNote: "the host name", in: .audit,
        "Name of this process's own series of audit segments, where POD_NAME is not set: the pod's name goes first.")
    static let auditPath = Setting(
        "TOLLGATE_AUDIT_PATH", aliases: ["AUTOHEAL_AUDIT_PATH"], .path(), defaultNote: "{TOLLGATE_DATA_DIR}/audit",
        in: .audit, "Directory of the audit segments; a file name in the alias means its directory.")
    static let auditQueue = Setting(
        "TOLLGATE_AUDIT_QUEUE", .count(16...1_048_576), default: "16384", in: .audit,
        "Entries that may wait to be written; a full queue refuses requests.")
    static let auditFlush = Setting(
        "TOLLGATE_AUDIT_FLUSH", .duration(.zero...(.seconds(1)), shown: "0 to 1s"), default: "5ms", in: .audit,
        "How long a durable entry may wait for company before the sync.")
    static let auditSegmentBytes = Setting(
        "TOLLGATE_AUDIT_SEGMENT_BYTES", .bytes((1 << 16)...(1 << 40)), default: "128MiB", in: .audit,
        "Size at which a segment is closed and the next begun.")
    static let auditRotateAt = Setting(
        "TOLLGATE_AUDIT_ROTATE_AT",
        SettingFormat("time", expected: "a time of day in UTC as hh:mm") { DailyTime(ASCII.trimmed($0)) },
        default: "02:10", in: .audit, "When the open segment is closed every day and the next begun, in UTC.")
    static let auditRetention = Setting(
        "TOLLGATE_AUDIT_RETENTION", .duration(.seconds(3600)...(.seconds(315_360_000)), shown: "1h to 87600h"),
        default: "336h", in: .audit,
        "How long segments are kept: one is deleted, and its deletion recorded, when its last entry is older.")
    static let auditDecisions = Setting(
        "TOLLGATE_AUDIT_DECISIONS", SettingFormat<AuditSettings.Decisions>.choice, default: "folded", in: .audit,
        "Which allowed decisions are recorded: folded to one entry per actor, host, route and 10 s, all, or none.")
    static let auditFailOpen = Setting(
        "TOLLGATE_AUDIT_FAIL_OPEN", .flag, default: "false", in: .audit,
        "Lets requests pass that cannot be recorded. Unsafe; named in the start-up log when on.")
    static let auditMemory = Setting(
        "TOLLGATE_AUDIT_MEMORY", .count(128...1_000_000), default: "10000", in: .audit,
        "Newest entries kept in memory, so that a caller sees its own write at once.")
    static let eventsRing = Setting(
        "TOLLGATE_EVENTS_RING", .count(128...65_536), default: "4096", in: .audit,
        "Newest events kept in memory for clients of live streams that come back.")
    static let auditIndex = Setting(
        "TOLLGATE_AUDIT_INDEX", SettingFormat<AuditIndexKind>.choice,
        defaultNote: "postgres with TOLLGATE_DATABASE_URL, else sqlite", in: .audit,
        "Where the index for queries is kept: a file beside the segments, the shared database, where entries outlive a replica's disk, or memory."
    )
    static let auditKey = Setting(
        "TOLLGATE_AUDIT_HMAC_KEY", .key(atLeast: 32), secret: true, in: .audit,
        "Key of the hash chain (HMAC-SHA256 instead of SHA-256), raw text.")
    static let redact = Setting(
        "TOLLGATE_REDACT", .redaction, default: "secrets", in: .audit,
        "What is taken out of records and logs. off is unsafe and named in the start-up log.")
}

extension SettingFormat where Value == RedactionLevel {
    /// `secrets`, `secrets,pii` or `off`.
    static var redaction: SettingFormat {
        SettingFormat("choice", expected: "secrets, or secrets,pii, or off") { text in
            switch Set(ListText.elements(ASCII.lowercased(text)) ?? []) {
            case ["secrets"]: .secrets
            case ["secrets", "pii"]: .secretsAndPersonalData
            case ["off"]: .off
            default: nil
            }
        }
    }
}
