// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import AsyncHTTPClient
internal import Essentials
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// What a call does.
enum APIMethod: Sendable {
    case get
    case post
    case patch
    case put
    case delete

    fileprivate var wire: HTTPMethod {
        switch self {
        case .get: .GET
        case .post: .POST
        case .patch: .PATCH
        case .put: .PUT
        case .delete: .DELETE
        }
    }
}

/// An answer of the server with a success status.
struct APIAnswer: Sendable {
    let status: Int
    /// nil when the body is empty.
    let body: JSONValue?
}

/// Calls the API of one server as one caller.
struct APIClient: Sendable {
    /// The largest answer that is read.
    static let maximumBodyBytes = 16 << 20

    let target: ClientTarget
    private let http: HTTPClient

    /// Opens connections for the time of the body. Redirects are not followed, so that a credential goes to no other server.
    static func with<Result: Sendable>(
        _ target: ClientTarget, in context: CommandContext, _ body: (APIClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(min(10, target.timeout.wholeSeconds))
        configuration.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Swift.Result<Result, any Error>
        do {
            var client = APIClient(target: target, http: http)
            if let login = target.renewable { client = await client.renewing(login, in: context) }
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        try await http.shutdown()
        return try result.get()
    }

    private init(target: ClientTarget, http: HTTPClient) {
        self.target = target
        self.http = http
    }

    /// Calls and gives the answer, whatever its status.
    func exchange(
        _ method: APIMethod, _ path: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: JSONValue? = nil, authenticated: Bool = true
    ) async throws(CommandFailure) -> (status: Int, bytes: [UInt8]) {
        var url = target.server.description + path
        let pairs = query.map { "\(Self.escaped($0.0))=\(Self.escaped($0.1))" }
        if !pairs.isEmpty { url += "?" + pairs.joined(separator: "&") }
        var request = HTTPClientRequest(url: url)
        request.method = method.wire
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "tollgate/" + ProductVersion.text)
        if authenticated, let token = target.token {
            request.headers.add(name: "authorization", value: "Bearer " + token.revealed)
        }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body.encoded()))
        }
        do {
            let response = try await http.execute(request, timeout: .seconds(target.timeout.wholeSeconds))
            let buffer = try await response.body.collect(upTo: Self.maximumBodyBytes)
            return (Int(response.status.code), Array(buffer.readableBytesView))
        } catch is NIOTooManyBytesError {
            throw CommandFailure(.otherFault, "the answer is too large", format: target.format)
        } catch {
            throw CommandFailure(
                .unavailable, "cannot reach \(target.server): \(Self.reason(error))", format: target.format)
        }
    }

    /// Calls; an answer without success is thrown.
    func call(
        _ method: APIMethod, _ path: String, query: [(String, String)] = [], headers: [(String, String)] = [],
        body: JSONValue? = nil
    ) async throws(CommandFailure) -> APIAnswer {
        let (status, bytes) = try await exchange(method, path, query: query, headers: headers, body: body)
        guard (200..<300).contains(status) else {
            throw Self.failure(status: status, bytes: bytes, target: target)
        }
        if bytes.isEmpty { return APIAnswer(status: status, body: nil) }
        do {
            return APIAnswer(status: status, body: try JSONParser.parse(bytes))
        } catch {
            throw CommandFailure(
                .otherFault, "the answer is not JSON: is \(target.server) a Tollgate?", httpStatus: status,
                format: target.format)
        }
    }

    /// The answer's failure with the envelope, where the body is one.
    static func failure(status: Int, bytes: [UInt8], target: ClientTarget) -> CommandFailure {
        // A body that is no envelope is not shown: it may be anything.
        let envelope = (try? JSONParser.parse(bytes))?.objectValue
        let hasCode = envelope?["code"]?.stringValue != nil
        let message = hasCode ? envelope?["message"]?.stringValue : nil
        return CommandFailure(
            ExitStatus(httpStatus: status), message ?? "the server answered with status \(status)",
            envelope: hasCode ? envelope : nil, httpStatus: status, format: target.format)
    }

    /// The same with a fresh access token, when the server gives one.
    private func renewing(_ login: SavedLogin, in context: CommandContext) async -> APIClient {
        guard let refreshToken = login.refreshToken else { return self }
        let body: JSONValue = ["refresh_token": .string(refreshToken.revealed)]
        // Whatever goes wrong here, the old access token still serves for its last moments.
        guard let answer = try? await exchange(.post, "/v1/auth/refresh", body: body, authenticated: false),
            answer.status == 200, let object = (try? JSONParser.parse(answer.bytes))?.objectValue,
            let renewed = login.renewed(by: object)
        else { return self }
        do {
            try renewed.save(in: ConfigDirectory(path: nil, context: context))
        } catch {
            context.warn("the renewed login cannot be saved: \(error)")
        }
        var target = target
        target.token = renewed.accessToken
        target.renewable = nil
        return APIClient(target: target, http: http)
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError { return error.shortDescription }
        return error is NIOConnectionError || error is IOError ? "no connection" : "\(type(of: error))"
    }

    /// The text with everything but unreserved characters escaped, for a path segment or a query.
    static func escaped(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            let isUnreserved =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            if isUnreserved {
                result.append(byte)
            } else {
                result.append(UInt8(ascii: "%"))
                result.append(contentsOf: Hex.encode([byte]).uppercased().utf8)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
