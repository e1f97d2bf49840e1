// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

// What a Tollgate that runs on a cluster watches, and who it is there.
extension SettingsCatalog {
    static let watchNamespaces = Setting(
        "TOLLGATE_WATCH_NAMESPACES",
        SettingFormat<[String]>.list("list", expected: "a list of namespaces, or *") {
            $0 == "*" || NameRules.isNamespace($0) ? $0 : nil
        }, defaultNote: "the own namespace", in: .cluster,
        "Namespaces whose objects are read; * = all, which needs rights in the whole cluster.")
    static let selector = Setting(
        "TOLLGATE_SELECTOR",
        .text("text", expected: "a label selector of at most 1024 bytes") { $0.utf8.count <= 1024 },
        in: .cluster, "Label selector of the objects that are read, such as team=payments.")
    static let leaseName = Setting(
        "TOLLGATE_LEASE_NAME", .text("text", expected: "an object name", where: NameRules.isObjectName),
        defaultNote: "TOLLGATE_DEPLOYMENT, else tollgate", in: .cluster,
        "Lease of the own namespace whose holder writes to the cluster.")
    static let deployment = Setting(
        "TOLLGATE_DEPLOYMENT", .text("text", expected: "an object name", where: NameRules.isObjectName), in: .cluster,
        "Name of the own Deployment.")
    static let podName = Setting(
        "POD_NAME", .text("text", expected: "an object name", where: NameRules.isObjectName),
        defaultNote: "the host name", in: .cluster,
        "Name of the own Pod (Downward API), and of its series of audit segments.")
    static let podNamespace = Setting(
        "POD_NAMESPACE", .text("text", expected: "a namespace", where: NameRules.isNamespace),
        defaultNote: "that of the service account or of the kubeconfig's context, else default", in: .cluster,
        "The own namespace (Downward API).")
    static let podIP = Setting(
        "POD_IP", .text, in: .cluster, "Address at which other replicas reach this one (Downward API).")
    static let nodeName = Setting("NODE_NAME", .text, in: .cluster, "Name of the own Node (Downward API).")

    /// In the order of the table.
    static let cluster: [SettingInfo] = [
        watchNamespaces.info, selector.info, leaseName.info, deployment.info, podName.info, podNamespace.info,
        podIP.info, nodeName.info,
    ]
}
