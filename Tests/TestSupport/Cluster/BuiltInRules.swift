// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation

/// The few rules of built-in kinds that Tollgate could break.
enum BuiltInRules {
    static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    static func check(_ object: JSONValue, _ resource: ServedResource, _ name: String) throws(APIStatus) {
        switch resource.id {
        case "coordination.k8s.io/leases": try checkLease(object, resource, name)
        case "events.k8s.io/events": try checkEvent(object, resource, name)
        case "/secrets", "/configmaps": try checkData(object, resource, name)
        default: break
        }
        for reference in object["metadata"]?["ownerReferences"]?.arrayValue ?? [] {
            for member in ["apiVersion", "kind", "name", "uid"]
            where reference[member]?.stringValue?.isEmpty != false {
                throw .invalid(
                    resource, name,
                    [
                        .init(
                            reason: "FieldValueInvalid", message: "Invalid value: \"\": \(member) must not be empty",
                            field: "metadata.ownerReferences.\(member)")
                    ])
            }
        }
    }

    private static func checkLease(_ object: JSONValue, _ resource: ServedResource, _ name: String) throws(APIStatus) {
        let spec = object["spec"]
        if let seconds = spec?["leaseDurationSeconds"]?.intValue, seconds <= 0 {
            throw .invalid(
                resource, name,
                [
                    .init(
                        reason: "FieldValueInvalid", message: "Invalid value: \(seconds): must be greater than 0",
                        field: "spec.leaseDurationSeconds")
                ])
        }
        // MicroTime has six decimals and nothing else will do.
        for member in ["acquireTime", "renewTime"] {
            guard let text = spec?[member]?.stringValue else { continue }
            let parts = text.split(separator: ".")
            guard parts.count == 2, parts[1].prefix(while: \.isNumber).count == 6, Timestamp(rfc3339: text) != nil
            else {
                throw .badRequest(
                    "Lease in version \"v1\" cannot be handled as a Lease: v1.Lease.Spec: v1.LeaseSpec.\(member): "
                        + "parsing time \"\(text)\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse")
            }
        }
    }

    private static func checkEvent(_ object: JSONValue, _ resource: ServedResource, _ name: String) throws(APIStatus) {
        var causes: [APIStatus.Cause] = []
        let bounds = [("action", 128), ("reason", 128), ("note", 1024)]
        for member in ["eventTime", "reportingController", "reportingInstance", "reason", "action"]
        where object[member]?.stringValue?.isEmpty != false {
            causes.append(.init(reason: "FieldValueRequired", message: "Required value", field: member))
        }
        for (member, limit) in bounds where (object[member]?.stringValue ?? "").utf8.count > limit {
            causes.append(
                .init(
                    reason: "FieldValueInvalid", message: "Invalid value: can have at most \(limit) characters",
                    field: member))
        }
        if !["Normal", "Warning"].contains(object["type"]?.stringValue) {
            causes.append(
                .init(reason: "FieldValueInvalid", message: "Invalid value: has invalid value", field: "type"))
        }
        if object["regarding"]?["namespace"]?.stringValue ?? "" != object["metadata"]?["namespace"]?.stringValue ?? "" {
            causes.append(
                .init(
                    reason: "FieldValueInvalid", message: "Invalid value: does not match event.namespace",
                    field: "regarding.namespace"))
        }
        if !causes.isEmpty { throw .invalid(resource, name, causes) }
    }

    private static func checkData(_ object: JSONValue, _ resource: ServedResource, _ name: String) throws(APIStatus) {
        for member in object["data"]?.objectValue?.members ?? [] {
            guard let text = member.value.stringValue,
                resource.plural == "configmaps" || Data(base64Encoded: text) != nil
            else {
                throw .badRequest(
                    "\(resource.kind) in version \"v1\" cannot be handled as a \(resource.kind): illegal base64 data at "
                        + "input byte 0 in data.\(member.name)")
            }
        }
    }
}
