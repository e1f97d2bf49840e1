// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Makes an error of an answer that is no success, and of the Status objects in watches.
enum StatusReader {
    private static let maximumCauses = 32
    private static let limits = JSONParser.Limits(depth: 32, values: 10_000)

    /// The error that an HTTP answer stands for.
    ///
    /// - Parameter retryAfter: the header of that name.
    static func error(status: Int, body: [UInt8], retryAfter: String?) -> KubernetesError {
        // A proxy or a load balancer in between answers what it likes; the status code is enough then.
        let document = (try? JSONParser.parse(body, limits: limits)) ?? .null
        let isStatus = document["kind"]?.stringValue == "Status"
        let seconds = retryAfter.flatMap { UInt32(ASCII.trimmed($0)) }.map(Int64.init)
        return error(
            status: status, document: isStatus ? document : .null,
            fallback: "the server answered with status \(status)", retryAfterSeconds: seconds)
    }

    /// The error that the object of an ERROR event stands for.
    static func error(event object: JSONValue) -> KubernetesError {
        error(
            status: object["code"]?.intValue.flatMap(Int.init(exactly:)), document: object,
            fallback: "the watch reported an error", retryAfterSeconds: nil)
    }

    private static func error(
        status: Int?, document: JSONValue, fallback: String, retryAfterSeconds: Int64?
    ) -> KubernetesError {
        let reason = document["reason"]?.stringValue ?? ""
        let details = document["details"]
        let inDetails = details?["retryAfterSeconds"]?.intValue
        let seconds = retryAfterSeconds ?? inDetails.flatMap { (1...86_400).contains($0) ? $0 : nil }
        let causes = (details?["causes"]?.arrayValue ?? []).prefix(maximumCauses).map {
            KubernetesError.Cause(
                field: $0["field"]?.stringValue ?? "", message: $0["message"]?.stringValue ?? "")
        }
        let message = document["message"]?.stringValue ?? ""
        return KubernetesError(
            code(status: status, reason: reason), status: status, reason: reason,
            message: message.isEmpty ? fallback : message, retryAfter: seconds.map { .seconds($0) }, causes: causes)
    }

    private static func code(status: Int?, reason: String) -> KubernetesError.Code {
        switch (status, reason) {
        case (_, "AlreadyExists"): .alreadyExists
        case (_, "Expired"), (_, "Gone"), (410, _): .expired
        case (_, "ServerTimeout"), (_, "Timeout"), (504, _), (408, _): .serverTimeout
        case (400, _), (_, "BadRequest"): .badRequest
        case (401, _), (_, "Unauthorized"): .unauthorized
        case (403, _), (_, "Forbidden"): .forbidden
        case (404, _), (_, "NotFound"): .notFound
        case (405, _), (_, "MethodNotAllowed"): .methodNotAllowed
        case (409, _), (_, "Conflict"): .conflict
        case (413, _), (_, "RequestEntityTooLarge"): .tooLarge
        case (406, _), (415, _), (_, "UnsupportedMediaType"), (_, "NotAcceptable"): .unsupportedMediaType
        case (422, _), (_, "Invalid"): .invalid
        case (429, _), (_, "TooManyRequests"): .tooManyRequests
        case (503, _), (_, "ServiceUnavailable"): .unavailable
        default: .internalError
        }
    }
}
