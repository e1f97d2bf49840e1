// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Reads a page of a list as its bytes come.
struct ListReader {
    private var scanner: ListScanner
    private let resource: APIResource

    init(maximumItemBytes: Int, resource: APIResource) {
        scanner = ListScanner(maximumItemBytes: maximumItemBytes)
        self.resource = resource
    }

    /// Takes bytes in any portions and gives the items that are whole.
    ///
    /// - Throws: `malformedAnswer`.
    mutating func take(
        _ bytes: some Sequence<UInt8>, each: (JSONValue) -> Void
    ) throws(KubernetesError) {
        do throws(ListScanner.Fault) {
            try scanner.take(bytes) { (item) throws(ListScanner.Fault) in
                let value: JSONValue
                do {
                    value = try item.withUnsafeBufferPointer { buffer in
                        Result { () throws(JSONParser.Failure) in
                            try JSONParser.parse(buffer, limits: .object)
                        }
                    }.get()
                } catch {
                    throw .malformed("an item of the list is not JSON: \(error)")
                }
                each(
                    ObjectTrimmer.named(
                        ObjectTrimmer.trimmed(value), apiVersion: resource.apiVersion, kind: resource.kind))
            }
        } catch {
            throw Self.error(error)
        }
    }

    /// What the page says beside its items, after the last byte.
    func page() throws(KubernetesError) -> ListPage {
        let around: [UInt8]
        do throws(ListScanner.Fault) {
            around = try scanner.end()
        } catch {
            throw Self.error(error)
        }
        let document: JSONValue
        do {
            document = try JSONParser.parse(around, limits: .kubernetes)
        } catch {
            throw KubernetesError(.malformedAnswer, message: "the list is not JSON: \(error)")
        }
        guard let items = document["items"], items.isNull || items.arrayValue != nil else {
            throw KubernetesError(.malformedAnswer, message: "the answer is no list: it has no items")
        }
        guard let version = document["metadata"]?["resourceVersion"]?.stringValue, !version.isEmpty else {
            throw KubernetesError(.malformedAnswer, message: "the list has no metadata.resourceVersion")
        }
        let token = document["metadata"]?["continue"]?.stringValue ?? ""
        return ListPage(resourceVersion: version, continueToken: token.isEmpty ? nil : token)
    }

    private static func error(_ fault: ListScanner.Fault) -> KubernetesError {
        switch fault {
        case .malformed(let words): KubernetesError(.malformedAnswer, message: words)
        case .tooLarge: KubernetesError(.malformedAnswer, message: "an item of the list is larger than 8 MiB")
        }
    }
}
