// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Billing
internal import Essentials
internal import HTTPTypes
internal import Pipeline

extension OwnCall {
    /// Whether the caller may act on every account.
    var isOfPlatform: Bool { caller.admin || caller.principal.platform }

    /// Who did it, as ledger entries name it.
    var actor: String { caller.principal.subject }

    /// The query's known parameters and the account that the call is about.
    ///
    /// - Throws: `request.malformed`, `request.invalid`, and what `account(named:)` refuses.
    func billingQuery(_ known: String...) throws(Refusal) -> (query: JSONObject, account: String) {
        let query = try self.query.object(known: Set(known + ["account"]))
        return (query, try account(named: query["account"]?.stringValue))
    }

    /// The account that a write is about, which body or query may name.
    ///
    /// - Throws: `request.malformed`, `request.invalid`, and what `account(named:)` refuses.
    func writtenAccount(_ member: String? = nil) throws(Refusal) -> String {
        let asked = try query.object(known: ["account"])["account"]?.stringValue
        if let asked, let member, !asked.utf8.elementsEqual(member.utf8) {
            try Self.refuse("account", "not the account of the query")
        }
        return try account(named: member ?? asked)
    }

    /// The caller's own account, which is that of its tenant, or for the platform's principals the one that is named.
    ///
    /// - Throws: 403 `policy.tenant_denied` for another account than the own one, 422 `request.invalid` where a principal of the platform has
    ///   no tenant and names none, 404 `billing.account_not_found` for everybody else without a tenant.
    func account(named name: String?) throws(Refusal) -> String {
        let own = caller.principal.tenantID
        guard let name else {
            if let own { return own }
            if isOfPlatform { try Self.refuse("account", "required for a caller without a tenant") }
            throw Refusal(.billingAccountNotFound)
        }
        if let own, own.utf8.elementsEqual(name.utf8) { return own }
        guard isOfPlatform else { throw Refusal(.policyTenantDenied) }
        guard (1...256).contains(name.utf8.count), name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            try Self.refuse("account", "not a text of 1 to 256 bytes without control characters")
            return name
        }
        return name
    }

    /// The route table asks for it as well; what makes money out of nothing asks twice.
    ///
    /// - Throws: `policy.platform_required`.
    func requirePlatform() throws(Refusal) {
        guard isOfPlatform else { throw Refusal(.policyPlatformRequired) }
    }

    /// - Throws: `policy.platform_required`, `policy.permission_denied`.
    func requirePlatformAdmin() throws(Refusal) {
        try requirePlatform()
        guard caller.admin || caller.holds("admin:access") else { throw Refusal(.policyPermissionDenied) }
    }

    /// - Throws: `request.malformed` where a call that takes no body has one.
    func takesNoBody() throws(Refusal) { try BodyReader.checkMembers(of: body, known: []) }

    /// What names the wish of this call at the payment provider: the same call again, under the same `Idempotency-Key`, is the same wish.
    func wish(_ name: String) -> String {
        if case .one(let key) = exchange.headers.lookup("idempotency-key") { return "\(name):\(key)" }
        return "\(name):\(exchange.requestID)"
    }

    /// Refuses one field.
    static func refuse(_ field: String, _ reason: String) throws(Refusal) {
        var reader = FieldReader()
        reader.fault(field, reason)
        try reader.finish()
    }
}

extension OwnAnswer {
    /// An answer whose JSON is an object.
    static func object(_ value: JSONValue, status: Int = 200) -> OwnAnswer {
        OwnAnswer(status: status, json: value.objectValue ?? JSONObject())
    }

    /// What is in force and left after a call that is charged.
    mutating func tell(plan: String, remainingMicroCredits: Int64) {
        fields[.tollgatePlan] = plan
        fields[.tollgateCredits] = CreditText.credits(remainingMicroCredits)
    }

    /// Notes for the audit what a call that makes or moves money was about.
    mutating func note(account: String, resource: String, before: JSONValue? = nil, after: JSONValue? = nil) {
        auditResource = resource
        auditMetadata["account"] = .string(account)
        if let before { auditMetadata["before"] = before }
        if let after { auditMetadata["after"] = after }
    }
}

extension HTTPField.Name {
    static let tollgatePlan = constant("X-Tollgate-Plan")
    static let tollgateCredits = constant("X-Tollgate-Credits-Remaining")
}
