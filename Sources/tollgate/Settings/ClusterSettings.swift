// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// What a Tollgate that runs on a cluster watches, and who it is there.
struct ClusterSettings: Sendable {
    /// Empty = the own one; `*` among them = all.
    var watchNamespaces: [String]
    var selector: String?
    var lease: String
    var deployment: String?
    var podName: String
    /// Nil = what the connection says.
    var podNamespace: String?
    var podIP: String?
    var nodeName: String?

    /// The namespaces whose objects are read, nil standing for all of them.
    func watched(own: String) -> [String?] {
        if watchNamespaces.isEmpty { return [own] }
        if watchNamespaces.contains("*") { return [nil] }
        return Array(Set(watchNamespaces)).sorted()
    }
}

extension TollgateSettings {
    /// Reads what belongs to a cluster.
    ///
    /// - Parameter podName: of the own Pod, where the process was told.
    static func cluster(_ reader: inout SettingsReader, podName: String?, host: HostFacts) -> ClusterSettings {
        typealias Catalog = SettingsCatalog
        let deployment = reader.optional(Catalog.deployment)
        return ClusterSettings(
            watchNamespaces: reader.optional(Catalog.watchNamespaces) ?? [],
            selector: reader.optional(Catalog.selector),
            lease: reader.optional(Catalog.leaseName) ?? deployment ?? "tollgate", deployment: deployment,
            podName: podName ?? host.hostName,
            podNamespace: reader.optional(Catalog.podNamespace), podIP: reader.optional(Catalog.podIP),
            nodeName: reader.optional(Catalog.nodeName))
    }
}
