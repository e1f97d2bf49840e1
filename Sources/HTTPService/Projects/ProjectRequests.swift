// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Essentials

/// Reads the bodies and queries of the project endpoints.
enum ProjectRequests {
    /// `{id?, name}`
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    static func create(_ body: JSONObject) throws(Refusal) -> (id: String?, name: String) {
        var reader = FieldReader()
        try reader.checkMembers(of: body, known: ["id", "name"])
        let id = reader.text(body, "id")
        if let id, !Project.isIdentifier(id) { reader.fault("id", identifierRule) }
        let name = self.name(body, &reader)
        try reader.finish()
        return (id, name)
    }

    /// `{name}`
    ///
    /// - Throws: `request.malformed`, `request.invalid`.
    static func rename(_ body: JSONObject) throws(Refusal) -> String {
        var reader = FieldReader()
        try reader.checkMembers(of: body, known: ["name"])
        let name = self.name(body, &reader)
        try reader.finish()
        return name
    }

    /// `{resource_type, resource_id, project, permissions, expires_at?}`
    ///
    /// - Throws: `request.malformed`, `policy.share_invalid`.
    static func offer(_ body: JSONObject) throws(Refusal) -> ShareOffer {
        var reader = FieldReader()
        try reader.checkMembers(
            of: body, known: ["resource_type", "resource_id", "project", "permissions", "expires_at"])
        let type = plainText(body, "resource_type", maximumBytes: 128, &reader)
        let id = plainText(body, "resource_id", maximumBytes: 512, &reader)
        let project = reader.text(body, "project", required: true)
        if let project, !Project.isIdentifier(project) { reader.fault("project", identifierRule) }
        let permissions = self.permissions(body, &reader, required: true)
        let expiresAt = instant(body, "expires_at", &reader)
        try finish(reader)
        return ShareOffer(
            resourceType: type, resourceID: id, project: project ?? "",
            terms: ShareTerms(permissions: permissions ?? [], expiresAt: expiresAt))
    }

    /// `{permissions?, expires_at?}`; an `expires_at` of null takes the end away.
    ///
    /// - Throws: `request.malformed`, `policy.share_invalid`.
    static func termsChange(_ body: JSONObject) throws(Refusal) -> ShareTermsChange {
        var reader = FieldReader()
        try reader.checkMembers(of: body, known: ["permissions", "expires_at"])
        var change = ShareTermsChange(permissions: permissions(body, &reader, required: false))
        if body["expires_at"] != nil { change.expiresAt = .some(instant(body, "expires_at", &reader)) }
        try finish(reader)
        return change
    }

    /// `{reason?}`
    ///
    /// - Throws: `request.malformed`, `policy.share_invalid`.
    static func reason(_ body: JSONObject) throws(Refusal) -> String? {
        var reader = FieldReader()
        try reader.checkMembers(of: body, known: ["reason"])
        let reason = reader.text(body, "reason").map { ASCII.trimmed($0) }
        if let reason, !isPlain(reason, upTo: 256) { reader.fault("reason", "not a text of 1 to 256 characters") }
        try finish(reader)
        return reason
    }

    /// No member at all.
    ///
    /// - Throws: `request.malformed`.
    static func nothing(_ body: JSONObject) throws(Refusal) { try FieldReader().checkMembers(of: body, known: []) }

    /// `limit`, `cursor` and, where the list has it, `state`.
    ///
    /// - Throws: `request.invalid`.
    static func page(
        _ query: JSONObject
    ) throws(Refusal) -> (page: PageRequest, states: Set<ProjectResourceAccess.State>?) {
        var reader = FieldReader()
        var limit = 50
        if let text = query["limit"]?.stringValue {
            limit = text.utf8.count <= 3 ? Int(text) ?? 0 : 0
            if !PageRequest.limits.contains(limit) {
                reader.fault(
                    "limit", "not a number from \(PageRequest.limits.lowerBound) to \(PageRequest.limits.upperBound)")
            }
        }
        var cursor: PageCursor?
        if let text = query["cursor"]?.stringValue {
            cursor = PageCursor(text: text)
            if cursor == nil { reader.fault("cursor", "not a cursor of this list") }
        }
        var states: Set<ProjectResourceAccess.State>?
        if let text = query["state"]?.stringValue, text != "all" {
            let names = text.split(separator: ",", maxSplits: 16, omittingEmptySubsequences: false)
            let known = names.compactMap { ProjectResourceAccess.State(rawValue: ASCII.trimmed($0)) }
            if known.count != names.count {
                reader.fault("state", "not a list of pending, accepted, declined, revoked, or all")
            }
            states = Set(known)
        }
        try reader.finish()
        return (PageRequest(limit: limit, cursor: cursor), states)
    }
}

extension ProjectRequests {
    private static let identifierRule = "not [a-z0-9][a-z0-9_-]{0,62}"

    private static func name(_ body: JSONObject, _ reader: inout FieldReader) -> String {
        let name = reader.text(body, "name", required: true).map { ASCII.trimmed($0) }
        if let name, !isPlain(name, upTo: 128) { reader.fault("name", "not a text of 1 to 128 characters") }
        return name ?? ""
    }

    /// Whether a text has 1 to so many characters, and none that controls a terminal.
    private static func isPlain(_ text: String, upTo maximum: Int) -> Bool {
        (1...maximum).contains(text.unicodeScalars.count) && !hasControls(text)
    }

    private static func hasControls(_ text: String) -> Bool { text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }

    private static func plainText(
        _ body: JSONObject, _ name: String, maximumBytes: Int, _ reader: inout FieldReader
    ) -> String {
        let text = reader.text(body, name, required: true)
        if let text, !(1...maximumBytes).contains(text.utf8.count) || hasControls(text) {
            reader.fault(name, "not a text of 1 to \(maximumBytes) bytes without control characters")
        }
        return text ?? ""
    }

    private static func permissions(
        _ body: JSONObject, _ reader: inout FieldReader, required: Bool
    ) -> SharePermissions? {
        guard let value = body["permissions"], !value.isNull else {
            if required { reader.fault("permissions", "required") }
            return nil
        }
        let texts = (value.arrayValue ?? []).compactMap(\.stringValue)
        guard (1...16).contains(texts.count), texts.count == value.arrayValue?.count,
            let permissions = SharePermissions(names: texts)
        else {
            reader.fault("permissions", "not a list of \(SharePermissions.allNames.joined(separator: ", "))")
            return nil
        }
        return permissions
    }

    private static func instant(_ body: JSONObject, _ name: String, _ reader: inout FieldReader) -> Timestamp? {
        guard let text = reader.text(body, name) else { return nil }
        guard let instant = Timestamp(rfc3339: text) else {
            reader.fault(name, "not an instant like 2027-01-31T12:00:00Z")
            return nil
        }
        return instant
    }

    /// - Throws: `policy.share_invalid` with everything that was found.
    private static func finish(_ reader: FieldReader) throws(Refusal) {
        do throws(Refusal) {
            try reader.finish()
        } catch {
            var refusal = error
            refusal.code = .policyShareInvalid
            throw refusal
        }
    }
}
