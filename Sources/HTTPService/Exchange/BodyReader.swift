// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A request whose end never came: there is nobody to be answered.
struct RequestCutShort: Error {
    let cause: any Error
}

/// Reads bodies within their bound.
enum BodyReader {
    /// The whole body.
    ///
    /// - Throws: `request.too_large` as soon as it is known, without reading on; the connection is closed then. `RequestCutShort` when the
    ///   connection breaks in the middle.
    static func read(_ request: Request, atMost maximum: Int) async throws -> ByteBuffer {
        guard fits(request, maximum) else { throw Refusal(.requestTooLarge, details: details(maximum)) }
        var whole: ByteBuffer?
        do {
            for try await part in request.body {
                guard (whole?.readableBytes ?? 0) + part.readableBytes <= maximum else {
                    throw Refusal(.requestTooLarge, details: details(maximum))
                }
                if whole == nil { whole = part } else { whole?.writeImmutableBuffer(part) }
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw RequestCutShort(cause: error)
        }
        return whole ?? ByteBuffer()
    }

    /// Whether the declared length, if there is one, is within the bound.
    static func fits(_ request: Request, _ maximum: Int) -> Bool {
        // More than one never comes so far: HTTP itself refuses them.
        guard let declared = request.headers.first(where: { $0.name == .contentLength })?.value else { return true }
        return Int(declared).map { $0 <= maximum } ?? false
    }

    /// Reads a body as a JSON object.
    ///
    /// - Throws: `request.malformed`.
    static func object(_ body: ByteBuffer) throws(Refusal) -> JSONObject {
        let parsed = body.withUnsafeReadableBytes { bytes in
            Result { () throws(JSONParser.Failure) in
                try JSONParser.parse(bytes.bindMemory(to: UInt8.self), limits: .init(depth: 32, values: 100_000))
            }
        }
        switch parsed {
        case .success(.object(let object)): return object
        case .success(let other):
            throw Refusal(.requestMalformed, message: "The body must be a JSON object, not a \(other.kindName)")
        case .failure(let failure):
            throw Refusal(
                .requestMalformed, message: "The body is not JSON",
                details: ["reason": .string(failure.code.rawValue), "offset": .int(Int64(failure.offset))])
        }
    }

    /// Refuses members that are not known.
    ///
    /// - Throws: `request.malformed` naming them.
    static func checkMembers(of object: JSONObject, known: Set<String>, in path: String = "") throws(Refusal) {
        let unknown = object.names.filter { !known.contains($0) }.map { path.isEmpty ? $0 : "\(path).\($0)" }
        guard unknown.isEmpty else {
            throw Refusal(
                .requestMalformed, message: "Unknown member: \(unknown.prefix(8).joined(separator: ", "))",
                details: ["unknown": .strings(unknown.prefix(8))])
        }
    }

    private static func details(_ maximum: Int) -> JSONObject { ["limit_bytes": .int(Int64(maximum))] }
}
