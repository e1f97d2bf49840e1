// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension Reservation {
    /// As it is stored: with an end as long as something may be held.
    package var row: ReservationRow {
        ReservationRow(
            id: id, key: key, document: document, endsAt: state == .open ? expiresAt : nil, createdAt: createdAt)
    }

    private var document: String {
        JSONWriter.document { writer in
            writer.member("id", id)
            writer.member("key", key)
            writer.member("digest", digest)
            if state != .open { writer.member("state", state.rawValue) }
            writer.member("created", createdAt)
            writer.member("ends", expiresAt)
            writer.member("ttl", ttlSeconds)
            writer.member("subject") { subject.write(to: &$0) }
            writer.member("estimate") { estimate.write(to: &$0) }
            writer.member("holds", list: holds) { $1.write(to: &$0) }
            writer.member("held_overage", heldOverage)
            writer.member("held_usd", heldMicroUSD)
            writer.member("held_tokens", heldTokens)
            writer.member("budgets", budgets)
            if used != .zero { writer.member("used") { used.write(to: &$0) } }
            if counts != TokenCounts() {
                let classes = [counts.input, counts.output, counts.cacheRead, counts.cacheWrite, counts.reasoning]
                writer.member("counts", list: classes) { $0.integer($1) }
            }
            writer.member("taken", list: taken) { $1.write(to: &$0) }
            writer.member("charged", charged)
            writer.member("overage", overage)
            writer.member("uncollected", uncollected)
            writer.member("late", isLate)
            writer.member("revision", revision)
            if let fee { writer.member("fee") { fee.write(to: &$0) } }
        }
    }

    /// Reads a stored one; members that are not known are passed over.
    ///
    /// - Throws: `BillingStoreError` of code `unreadable`.
    package init(_ row: ReservationRow) throws {
        guard let object = (try? JSONParser.parse(text: row.document))?.objectValue,
            let created = object["created"]?.storedInstant, let ends = object["ends"]?.storedInstant
        else { throw BillingStoreError.unreadable("reservation") }
        self.init(
            id: row.id, key: row.key, digest: "", createdAt: created, ttlSeconds: 0, subject: ChargeSubject(),
            estimate: .zero)
        expiresAt = ends
        for member in object.members { try read(member.name, member.value) }
    }

    private mutating func read(_ name: String, _ value: JSONValue) throws {
        switch name {
        case "digest": digest = value.stringValue ?? ""
        case "state":
            guard let known = value.stringValue.flatMap(State.init(rawValue:)) else {
                throw BillingStoreError.unreadable("reservation")
            }
            state = known
        case "ttl": ttlSeconds = value.intValue ?? 0
        case "subject": subject = ChargeSubject(stored: value)
        case "estimate": estimate = Charge(stored: value)
        case "holds": holds = value.arrayValue?.compactMap(Part.init(stored:)) ?? []
        case "held_overage": heldOverage = value.intValue ?? 0
        case "held_usd": heldMicroUSD = value.intValue ?? 0
        case "held_tokens": heldTokens = value.intValue ?? 0
        case "budgets": budgets = value.storedTexts
        case "used": used = Charge(stored: value)
        case "counts":
            let classes = (value.arrayValue ?? []).compactMap(\.intValue)
            guard classes.count == 5 else { throw BillingStoreError.unreadable("reservation") }
            counts = TokenCounts(
                input: classes[0], output: classes[1], cacheRead: classes[2], cacheWrite: classes[3],
                reasoning: classes[4])
        case "taken": taken = value.arrayValue?.compactMap(Part.init(stored:)) ?? []
        case "charged": charged = value.intValue ?? 0
        case "overage": overage = value.intValue ?? 0
        case "uncollected": uncollected = value.intValue ?? 0
        case "late": isLate = value.boolValue ?? false
        case "revision": revision = value.intValue ?? 0
        case "fee":
            guard let known = Fee(stored: value) else { throw BillingStoreError.unreadable("reservation") }
            fee = known
        default: break
        }
    }
}

extension Reservation.Fee {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("at", at)
        writer.member("period", period)
        if charge != .zero { writer.member("charge") { charge.write(to: &$0) } }
        writer.member("parts", list: parts) { $1.write(to: &$0) }
        writer.member("overage", overage)
        writer.member("tasks", tasks)
        writer.member("budgets", budgets)
        writer.member("entry", entry)
    }

    fileprivate init?(stored value: JSONValue) {
        guard let at = value["at"]?.storedInstant, let period = value["period"]?.storedInstant else { return nil }
        self.init(charge: value["charge"].map(Charge.init(stored:)) ?? .zero, at: at, period: period)
        parts = value["parts"]?.arrayValue?.compactMap(Reservation.Part.init(stored:)) ?? []
        overage = value["overage"]?.intValue ?? 0
        tasks = value["tasks"]?.intValue ?? 0
        budgets = value["budgets"]?.storedTexts ?? []
        entry = value["entry"]?.stringValue ?? ""
    }
}

extension Reservation.Part {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.raw("[")
        writer.string(grant)
        writer.raw(",")
        writer.integer(microCredits)
        writer.raw("]")
    }

    fileprivate init?(stored value: JSONValue) {
        guard let pair = value.arrayValue, pair.count == 2, let grant = pair[0].stringValue,
            let amount = pair[1].intValue
        else { return nil }
        self.init(grant: grant, microCredits: amount)
    }
}

extension Charge {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("credits", microCredits)
        writer.member("list", listMicroUSD)
        writer.member("charge", chargeMicroUSD)
        writer.member("tokens", tokens)
        writer.member("price", priceVersion)
    }

    fileprivate init(stored value: JSONValue) {
        self.init(
            microCredits: value["credits"]?.intValue ?? 0, listMicroUSD: value["list"]?.intValue ?? 0,
            chargeMicroUSD: value["charge"]?.intValue ?? 0, tokens: value["tokens"]?.intValue ?? 0,
            priceVersion: value["price"]?.stringValue)
    }
}

extension ChargeSubject {
    fileprivate func write(to writer: inout JSONWriter) {
        switch purpose {
        case .tokens(let model):
            writer.member("for", "tokens")
            if model != self.model { writer.member("for_model", model) }
        case .agents: writer.member("for", "agents")
        case .other: break
        }
        writer.member("model", model)
        writer.member("provider", provider)
        writer.member("premium", isPremium)
        writer.member("agent", agent)
        writer.member("user", user)
        writer.member("project", project)
    }

    fileprivate init(stored value: JSONValue) {
        self.init(
            model: value["model"]?.stringValue ?? "", provider: value["provider"]?.stringValue,
            isPremium: value["premium"]?.boolValue ?? false, agent: value["agent"]?.stringValue ?? "",
            user: value["user"]?.stringValue ?? "", project: value["project"]?.stringValue ?? "")
        switch value["for"]?.stringValue {
        case "tokens": purpose = .tokens(model: value["for_model"]?.stringValue ?? model)
        case "agents": purpose = .agents
        default: purpose = .other
        }
    }
}
