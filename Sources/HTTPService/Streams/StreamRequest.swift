// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AuditTrail
internal import Authentication
internal import Essentials
internal import Pipeline

/// What a client of live events asks for, read once and held to what it may.
struct StreamRequest: Sendable {
    private static let idBytes = 64

    let filter: LiveFilter
    /// The event that the client has seen last.
    let lastID: String?
    /// What was asked for, for the records.
    let metadata: JSONObject

    /// Reads members that are texts.
    ///
    /// - Throws: `request.invalid`, `audit.bad_query`, `policy.permission_denied`.
    init(_ members: JSONObject, caller: OwnCaller) throws(Refusal) {
        var reader = FieldReader()
        func text(_ name: String, _ reader: inout FieldReader) -> String? {
            let text = reader.text(members, name)
            return text?.isEmpty == true ? nil : text
        }
        let asked = text("stream", &reader) ?? LiveFilter.Stream.healing.rawValue
        let stream = LiveFilter.Stream(rawValue: asked)
        if stream == nil { reader.fault("stream", "not healing, audit or all") }
        let kind = text("kind", &reader)
        if let kind {
            if !HealingView.kinds.contains(kind) {
                reader.fault("kind", HealingView.kindsInWords)
            } else if stream == .audit {
                reader.fault("kind", "is of healing events, which stream audit leaves out")
            }
        }
        let id = text("last_event_id", &reader)
        if let id, id.utf8.count > Self.idBytes { reader.fault("last_event_id", "longer than 64 bytes") }
        let query = text("q", &reader)
        try reader.finish()
        lastID = id
        filter = LiveFilter(
            stream: stream ?? .healing, kind: kind,
            query: try query.map { text throws(Refusal) in try BooleanQuery(parsing: text) },
            reader: caller.auditReader)
        try filter.check(caller)
        var metadata: JSONObject = ["stream": .string(asked)]
        if let kind { metadata["kind"] = .string(kind) }
        if let query { metadata["q"] = .string(query) }
        if let id { metadata["last_event_id"] = .string(id) }
        self.metadata = metadata
    }
}

extension LiveFilter {
    /// Refuses what the caller may not watch.
    ///
    /// - Throws: `policy.permission_denied`.
    func check(_ caller: OwnCaller) throws(Refusal) {
        guard stream != .healing, !caller.holds("admin:access") else { return }
        throw Refusal(
            .policyPermissionDenied, message: "Permission 'admin:access' is required for stream '\(stream.rawValue)'",
            details: ["permission": "admin:access", "member": "stream"])
    }
}

extension OwnCaller {
    /// Platform callers see every tenant, everybody else the own one.
    var auditReader: AuditReader { admin || principal.platform ? .platform : .tenant(principal.tenantID) }
}

extension Principal {
    /// One text for whoever this is, whatever the credential.
    var streamIdentity: String { "\(issuer ?? "")\u{0}\(tenantID ?? "")\u{0}\(subject)" }
}
