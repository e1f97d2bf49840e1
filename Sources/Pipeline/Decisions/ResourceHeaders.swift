// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Essentials

/// What a trusted proxy says about the resource, in headers that every door reads alike.
package enum ResourceHeaders {
    /// Reads `X-Tollgate-Resource-*`.
    ///
    /// - Throws: `request.duplicate_header` for one that came twice.
    package static func read(_ headers: HeaderList) throws(Refusal) -> ResourceAttributes {
        ResourceAttributes(
            type: try line("x-tollgate-resource-type", of: headers),
            id: try line("x-tollgate-resource-id", of: headers),
            owner: try line("x-tollgate-resource-owner", of: headers),
            tenant: try line("x-tollgate-resource-tenant", of: headers),
            project: try line("x-tollgate-resource-project", of: headers))
    }

    /// A header that may come once; any text is one value.
    private static func line(_ name: String, of headers: HeaderList) throws(Refusal) -> String? {
        switch headers.lookup(name) {
        case .absent: nil
        case .one(let value): value
        case .several: throw Refusal(.requestDuplicateHeader, details: ["header": .string(name)])
        }
    }
}
