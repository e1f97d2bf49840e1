// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ManifestFiles
internal import ResourceModel
package import RuntimeState

/// Brings what the manifests say about the policy data to its keeper, and says on the ConfigMap how it fared.
package struct ManifestPolicyFollower: Sendable {
    private let source: ManifestPolicySource
    private let keeper: PolicyKeeper

    package init(source: ManifestPolicySource, keeper: PolicyKeeper) {
        self.source = source
        self.keeper = keeper
    }

    /// The ConfigMap whose status this knows.
    var key: ObjectKey { source.key }

    /// Takes up one pass over the manifests: what is new and sound is in force when this returns.
    func follow(_ load: ManifestLoad) async {
        source.take(load)
        await keeper.refresh()
    }

    /// The status of the ConfigMap, while there is one.
    func status() -> ObjectStatus? {
        guard source.read() != nil else { return nil }
        let state = keeper.state
        var conditions = Conditions()
        var members = JSONObject()
        if state.origin.kind != .configMap, state.lastError?.origin.kind != .configMap {
            conditions.set(
                "PolicyLoaded", .unknown, "NotUsed",
                "TOLLGATE_POLICY_DIR is set: the policy data comes from \(state.origin.location)")
        } else {
            let condition = state.condition
            conditions.set("PolicyLoaded", condition.isTrue ? .true : .false, condition.reason, condition.message)
            members["revision"] = .string(state.revision)
        }
        return ObjectStatus(conditions: conditions, members: members)
    }
}
