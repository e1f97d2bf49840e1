// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Crypto
internal import Essentials
internal import HTTPTypes
internal import Logging
internal import Pipeline

/// `Idempotency-Key` on writes: the same key and request gets the first answer again, with its secrets null.
struct OwnIdempotency: Sendable {
    let keeper: any IdempotencyStore
    let logger: Logger

    /// Runs the handler, or answers as the first time.
    func run(
        _ call: OwnCall, route: OwnRoute
    ) async throws(Refusal) -> (answer: OwnAnswer, replayed: Bool) {
        guard route.effect == .write, let key = try key(call.exchange) else {
            return (try await route.handle(call), false)
        }
        let principal = call.caller.principal
        let caller = IdempotencyCaller(
            tenantID: principal.tenantID, name: principal.tokenID ?? principal.subject)
        let digest = digest(call, route)
        switch try await keeper.begin(key: key, caller: caller, digest: digest) {
        case .mismatch: throw Refusal(.requestIdempotencyMismatch)
        case .answered(let stored):
            var answer = OwnAnswer(status: stored.status)
            if !stored.body.isEmpty { answer.json = Self.object(stored.body) }
            answer.fields = Self.fields(stored.fields)
            return (answer, true)
        case .new: break
        }
        let answer: OwnAnswer
        do {
            answer = try await route.handle(call)
        } catch {
            await keeper.abandon(key: key, caller: caller)
            throw error
        }
        var kept = answer.json
        for member in answer.secretMembers { kept?[member] = .null }
        let body = kept.map { JSONValue.object($0).encoded() } ?? []
        do {
            try await keeper.finish(
                key: key, caller: caller, digest: digest,
                answer: StoredAnswer(status: answer.status, body: body, fields: Self.text(of: answer.fields)))
        } catch {
            // It is done: to say otherwise would have the caller do it again.
            logger.error("an answer is not kept under its idempotency key", metadata: [LogKeys.error: "\(error)"])
        }
        return (answer, false)
    }

    private func key(_ exchange: Exchange) throws(Refusal) -> String? {
        switch exchange.headers.lookup("idempotency-key") {
        case .absent: return nil
        case .several: throw Refusal(.requestDuplicateHeader, details: ["header": "idempotency-key"])
        case .one(let key):
            guard (1...256).contains(key.utf8.count) else {
                var reader = FieldReader()
                reader.fault("Idempotency-Key", "not 1 to 256 bytes")
                try reader.finish()
                return nil
            }
            return key
        }
    }

    /// Names what was asked: method, canonical path, query and body.
    private func digest(_ call: OwnCall, _ route: OwnRoute) -> String {
        var text = Array("\(call.exchange.method) \(call.caller.canonicalPath)\n".utf8)
        for item in call.query.items { text += Array("\(item.name)=\(item.value)&".utf8) }
        text.append(0x0A)
        text += route.isRaw ? call.bytes : JSONValue.object(call.body).encoded(sortedNames: true)
        return Hex.encode(SHA256.hash(data: text))
    }

    /// A cookie is a secret, and shown once.
    private static func text(of fields: HTTPFields) -> String {
        let kept = fields.filter { $0.name != .setCookie }
        return kept.isEmpty ? "" : JSONValue.array(kept.map { .strings([$0.name.rawName, $0.value]) }).jsonText
    }

    private static func fields(_ text: String) -> HTTPFields {
        var fields = HTTPFields()
        // Written by this type too.
        for pair in (try? JSONParser.parse(text: text))?.arrayValue ?? [] {
            guard let texts = pair.arrayValue?.compactMap(\.stringValue), texts.count == 2,
                let name = HTTPField.Name(texts[0])
            else { continue }
            fields.append(HTTPField(name: name, value: texts[1]))
        }
        return fields
    }

    private static func object(_ body: [UInt8]) -> JSONObject? {
        // The text was written by this type; if the store gave back anything else, the answer has no body.
        (try? JSONParser.parse(body))?.objectValue
    }
}
