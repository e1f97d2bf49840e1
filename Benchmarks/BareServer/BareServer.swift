// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Hummingbird
internal import Logging
internal import NIOCore

/// The reference that the load benchmark compares with: Hummingbird routes that do nothing but have the same shape.
@main
struct BareServer {
    /// `BareServer PORT ANSWER_BYTES`: GET /bare answers without a body; POST /bare reads the body and answers a fixed JSON of that size.
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let port = Int(arguments[1]), let size = Int(arguments[2]) else {
            throw UsageError()
        }
        let answer = ByteBuffer(string: "{\"fill\":\"" + String(repeating: "x", count: max(0, size - 11)) + "\"}")
        let router = Router()
        router.get("bare") { _, _ in Response(status: .ok) }
        router.post("bare") { request, _ in
            var request = request
            _ = try await request.collectBody(upTo: 1 << 18)
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: answer))
        }
        var logger = Logger(label: "bare")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), logger: logger)
        try await application.runService()
    }
}

/// The arguments were not a port and a size.
struct UsageError: Error {}
