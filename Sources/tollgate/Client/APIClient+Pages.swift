// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

extension APIClient {
    /// Pages that are read at most.
    private static let maximumPages = 500

    /// Every page of a list: the API's last body, with the elements of all under `member`.
    ///
    /// - Parameter tooMany: what to say when there are more pages than anybody reads.
    func everyPage(
        _ path: String, query: [(String, String)], member: String, tooMany: String
    ) async throws(CommandFailure) -> JSONObject {
        var elements: [JSONValue] = []
        var cursor: String?
        for _ in 0..<Self.maximumPages {
            let answer = try await call(
                .get, path, query: [("limit", "200")] + query + (cursor.map { [("cursor", $0)] } ?? []))
            guard var object = answer.body?.objectValue, let page = object[member]?.arrayValue else {
                throw CommandFailure(.otherFault, "the answer holds no \(member)", format: target.format)
            }
            elements += page
            cursor = object["next_cursor"]?.stringValue
            if cursor == nil || page.isEmpty {
                object[member] = .array(elements)
                return object
            }
        }
        throw CommandFailure(.otherFault, tooMany, format: target.format)
    }
}
