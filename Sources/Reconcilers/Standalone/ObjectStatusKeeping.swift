// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials
package import ResourceModel

/// Where the status of objects is kept when there is no API server to keep it.
package protocol ObjectStatusKeeping: Sendable {
    /// Keeps what changed and forgets the keys that map to nil, each durable when this returns.
    func save(_ changes: [ObjectKey: JSONValue?]) async throws
}
