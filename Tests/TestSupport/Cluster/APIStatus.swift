// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// A refusal as a Kubernetes API server words it: the `Status` object, and what goes into the header.
package struct APIStatus: Error, Sendable {
    /// One entry of `details.causes`.
    package struct Cause: Sendable {
        let reason: String
        let message: String
        let field: String?

        /// Takes the parts.
        package init(reason: String, message: String, field: String?) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    let code: Int
    let reason: String
    let message: String
    var name: String?
    var group: String?
    var kind: String?
    var causes: [Cause] = []
    var retryAfterSeconds: Int?

    /// Takes the parts; the rest of the details is set by whoever knows it.
    package init(
        _ code: Int, _ reason: String, _ message: String, causes: [Cause] = [], retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The object as the server sends it.
    var document: JSONValue {
        var details = JSONObject()
        details["name"] = name.map(JSONValue.string)
        details["group"] = group.flatMap { $0.isEmpty ? Optional.none : .string($0) }
        details["kind"] = kind.map(JSONValue.string)
        if !causes.isEmpty { details["causes"] = .array(causes.map(Self.cause)) }
        details["retryAfterSeconds"] = retryAfterSeconds.map { .int(Int64($0)) }
        var members: JSONObject = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
        ]
        if !reason.isEmpty { members["reason"] = .string(reason) }
        if !details.isEmpty { members["details"] = .object(details) }
        members["code"] = .int(Int64(code))
        return .object(members)
    }

    private static func cause(_ cause: Cause) -> JSONValue {
        var members: JSONObject = ["reason": .string(cause.reason), "message": .string(cause.message)]
        members["field"] = cause.field.map(JSONValue.string)
        return .object(members)
    }

    /// The same with the details that name an object.
    private func about(_ resource: ServedResource, kind: String, name: String) -> APIStatus {
        var status = self
        status.name = name.isEmpty ? nil : name
        status.group = resource.group
        status.kind = kind
        return status
    }
}

/// The words of the real server, each looked at there.
extension APIStatus {
    static func notFound(_ resource: ServedResource, _ name: String) -> APIStatus {
        APIStatus(404, "NotFound", "\(resource.qualifiedPlural) \"\(name)\" not found")
            .about(resource, kind: resource.plural, name: name)
    }

    static var unknownPath: APIStatus {
        APIStatus(404, "NotFound", "the server could not find the requested resource")
    }

    static var methodNotAllowed: APIStatus {
        APIStatus(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    static func badRequest(_ message: String) -> APIStatus { APIStatus(400, "BadRequest", message) }

    static func alreadyExists(_ resource: ServedResource, _ name: String) -> APIStatus {
        APIStatus(409, "AlreadyExists", "\(resource.qualifiedPlural) \"\(name)\" already exists")
            .about(resource, kind: resource.plural, name: name)
    }

    static func modified(_ resource: ServedResource, _ name: String) -> APIStatus {
        conflict(
            resource, name,
            "the object has been modified; please apply your changes to the latest version and try again")
    }

    static func conflict(_ resource: ServedResource, _ name: String, _ why: String) -> APIStatus {
        APIStatus(
            409, "Conflict", "Operation cannot be fulfilled on \(resource.qualifiedPlural) \"\(name)\": \(why)"
        ).about(resource, kind: resource.plural, name: name)
    }

    static func precondition(_ resource: ServedResource, _ name: String, _ why: String) -> APIStatus {
        APIStatus(409, "Conflict", "Operation cannot be fulfilled on \(resource.qualifiedKind) \"\(name)\": \(why)")
            .about(resource, kind: resource.kind, name: name)
    }

    static func invalid(_ resource: ServedResource, _ name: String, _ causes: [Cause]) -> APIStatus {
        let parts = causes.map { "\($0.field ?? "<nil>"): \($0.message)" }
        let text = parts.count == 1 ? parts[0] : "[\(parts.joined(separator: ", "))]"
        return APIStatus(422, "Invalid", "\(resource.qualifiedKind) \"\(name)\" is invalid: \(text)", causes: causes)
            .about(resource, kind: resource.kind, name: name)
    }

    static func required(_ resource: ServedResource, _ name: String, field: String, _ why: String) -> APIStatus {
        invalid(
            resource, name,
            [Cause(reason: "FieldValueRequired", message: "Required value: \(why)", field: field)])
    }

    /// A patch that cannot be carried out: the server does not say why.
    static var patchFailed: APIStatus {
        APIStatus(422, "Invalid", "the server rejected our request due to an error in our request")
    }

    static var unsupportedMediaType: APIStatus {
        APIStatus(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    }

    static var unauthorized: APIStatus { APIStatus(401, "Unauthorized", "Unauthorized") }

    static func forbidden(_ route: RequestRoute, user: String) -> APIStatus {
        let resource = route.resource
        let plural = resource.plural + (route.subresource.map { "/\($0)" } ?? "")
        let place = route.namespace.map { " in the namespace \"\($0)\"" } ?? " at the cluster scope"
        let target = route.name.map { "\(resource.qualifiedPlural) \"\($0)\"" } ?? resource.qualifiedPlural
        return APIStatus(
            403, "Forbidden",
            "\(target) is forbidden: User \"\(user)\" cannot \(route.verb.rawValue) resource \"\(plural)\" in API group "
                + "\"\(resource.group)\"\(place)"
        ).about(resource, kind: resource.plural, name: route.name ?? "")
    }

    static func tooOld(_ version: Int, oldest: Int) -> APIStatus {
        APIStatus(410, "Expired", "too old resource version: \(version) (\(oldest))")
    }

    static var continueExpired: APIStatus {
        APIStatus(
            410, "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
                + "without the continue parameter.")
    }

    static func listOptions(_ field: String, _ why: String) -> APIStatus {
        var status = APIStatus(
            422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: \(field): Forbidden: \(why)",
            causes: [Cause(reason: "FieldValueForbidden", message: "Forbidden: \(why)", field: field)])
        status.group = "meta.k8s.io"
        status.kind = "ListOptions"
        return status
    }

    static func applyConflict(_ conflicts: [(manager: String, path: String)]) -> APIStatus {
        let count = conflicts.count == 1 ? "1 conflict" : "\(conflicts.count) conflicts"
        var parts: [String] = []
        var managers: [String] = []
        for conflict in conflicts where !managers.contains(conflict.manager) { managers.append(conflict.manager) }
        for manager in managers {
            let paths = conflicts.filter { $0.manager == manager }.map(\.path)
            parts.append(
                paths.count == 1
                    ? "conflict with \(manager): \(paths[0])"
                    : "conflicts with \(manager):\n" + paths.map { "- \($0)" }.joined(separator: "\n"))
        }
        return APIStatus(
            409, "Conflict", "Apply failed with \(count): \(parts.joined(separator: "\n"))",
            causes: conflicts.map {
                Cause(reason: "FieldManagerConflict", message: "conflict with \($0.manager)", field: $0.path)
            })
    }

    static var managerMissing: APIStatus {
        var status = APIStatus(
            422, "Invalid",
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
            causes: [
                Cause(
                    reason: "FieldValueRequired", message: "Required value: is required for apply patch",
                    field: "fieldManager")
            ])
        status.group = "meta.k8s.io"
        status.kind = "PatchOptions"
        return status
    }

    static func budget(_ name: String) -> APIStatus {
        APIStatus(
            429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.",
            causes: [
                Cause(
                    reason: "DisruptionBudget",
                    message: "The disruption budget \(name) needs 1 healthy pods and has 0 currently", field: nil)
            ])
    }
}
