// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import SelfManagement

// How the own Deployment is looked after.
extension SettingsCatalog {
    private static let waits = Duration.seconds(10)...(.seconds(86_400))
    private static let waitsShown = "10s to 24h"

    static let deploymentMode = Setting(
        "TOLLGATE_DEPLOYMENT_MODE", SettingFormat<SelfSettings.DeploymentMode>.choice, default: "adopt",
        in: .selfManagement,
        "adopt: only annotations on the own Deployment are Tollgate's; own: its template is kept in force, and it is made again when it vanishes; off: it is left alone."
    )
    static let selfHeal = Setting(
        "TOLLGATE_SELF_HEAL", SettingFormat<SelfSettings.Healing>.healing, default: "true", in: .selfManagement,
        "Whether unhealthy own pods are replaced; dry-run: it is only said what would be done.")
    static let healForceDelete = Setting(
        "TOLLGATE_HEAL_FORCE_DELETE", .flag, default: "false", in: .selfManagement,
        "Whether a pod that does not go within 60 s of its time is deleted by force. Its process may still run then.")
    static let healNotReadyAfter = Setting(
        "TOLLGATE_HEAL_NOT_READY_AFTER", .duration(waits, shown: waitsShown), default: "120s", in: .selfManagement,
        "How long a pod may be not ready, or without a node that fits, until it is unhealthy.")
    static let healImagePullAfter = Setting(
        "TOLLGATE_HEAL_IMAGE_PULL_AFTER", .duration(waits, shown: waitsShown), default: "300s", in: .selfManagement,
        "How long an image may not be to be had, or a container not to be made, until the pod is unhealthy.")
    static let healPendingAfter = Setting(
        "TOLLGATE_HEAL_PENDING_AFTER", .duration(waits, shown: waitsShown), default: "600s", in: .selfManagement,
        "How long a pod may be pending until it is unhealthy.")
    static let healRestarts = Setting(
        "TOLLGATE_HEAL_RESTARTS", .count(1...1000), default: "5", in: .selfManagement,
        "How many restarts of its containers within the window make a pod unhealthy.")
    static let healRestartWindow = Setting(
        "TOLLGATE_HEAL_RESTART_WINDOW", .duration(.seconds(60)...(.seconds(86_400)), shown: "1m to 24h"),
        default: "600s", in: .selfManagement, "That window.")
    static let scaleMinimum = Setting(
        "TOLLGATE_SCALE_MIN", .count(1...100), default: "1", in: .selfManagement,
        "The fewest own replicas that can be asked for.")
    static let scaleMaximum = Setting(
        "TOLLGATE_SCALE_MAX", .count(1...100), default: "10", in: .selfManagement,
        "The most own replicas that can be asked for.")
    static let autoscale = Setting(
        "TOLLGATE_AUTOSCALE", SettingFormat<AutoscaleMode>.choice, default: "off", in: .selfManagement,
        "What the number of own replicas follows: requests per second, or processor time. Needs TOLLGATE_DATABASE_URL.")
    static let autoscaleRequests = Setting(
        "TOLLGATE_AUTOSCALE_TARGET_RPS", .count(1...1_000_000), default: "200", in: .selfManagement,
        "Requests per second that each replica shall have.")
    static let autoscaleProcessor = Setting(
        "TOLLGATE_AUTOSCALE_TARGET_CPU", .count(1...1000), default: "70", in: .selfManagement,
        "Processor time that each replica shall use, in per cent of what its pod asks for.")

    /// In the order of the table.
    static let selfManagement: [SettingInfo] = [
        deploymentMode.info, selfHeal.info, healForceDelete.info, healNotReadyAfter.info, healImagePullAfter.info,
        healPendingAfter.info, healRestarts.info, healRestartWindow.info, scaleMinimum.info, scaleMaximum.info,
        autoscale.info, autoscaleRequests.info, autoscaleProcessor.info,
    ]
}

/// What the number of own replicas follows.
enum AutoscaleMode: String, Sendable, CaseIterable {
    case off, rps, cpu
}

extension SettingFormat where Value == SelfSettings.Healing {
    /// `true`, `false` in every form that a flag has, or `dry-run`.
    static var healing: SettingFormat {
        SettingFormat("choice", expected: "true, false or dry-run") { text in
            if ASCII.lowercased(ASCII.trimmed(text)) == "dry-run" { return .dryRun }
            return SettingFormat<Bool>.flag.read(text).map { $0 ? .on : .off }
        }
    }
}

extension TollgateSettings {
    /// Reads what belongs to self-management.
    ///
    /// - Parameter hasDatabase: whether replicas share what they keep.
    static func selfManagement(_ reader: inout SettingsReader, hasDatabase: Bool) -> SelfSettings {
        typealias Catalog = SettingsCatalog
        var rules = HealthRules()
        rules.notReadyAfter = reader.value(Catalog.healNotReadyAfter, orAfterProblem: rules.notReadyAfter)
        rules.imagePullAfter = reader.value(Catalog.healImagePullAfter, orAfterProblem: rules.imagePullAfter)
        rules.pendingAfter = reader.value(Catalog.healPendingAfter, orAfterProblem: rules.pendingAfter)
        rules.restarts = reader.value(Catalog.healRestarts, orAfterProblem: rules.restarts)
        rules.restartWindow = reader.value(Catalog.healRestartWindow, orAfterProblem: rules.restartWindow)
        rules.forcesDeletion = reader.value(Catalog.healForceDelete, orAfterProblem: false)
        let minimum = reader.value(Catalog.scaleMinimum, orAfterProblem: 1)
        let maximum = reader.value(Catalog.scaleMaximum, orAfterProblem: 100)
        if minimum > maximum {
            reader.problem("TOLLGATE_SCALE_MIN", "it is more than TOLLGATE_SCALE_MAX: \(minimum) and \(maximum)")
        }
        return SelfSettings(
            mode: reader.value(Catalog.deploymentMode, orAfterProblem: .adopt),
            healing: reader.value(Catalog.selfHeal, orAfterProblem: .off), rules: rules,
            bounds: ScaleRequest.Bounds(minimum: minimum, maximum: maximum, hasSharedStore: hasDatabase),
            autoscale: autoscale(&reader, hasDatabase: hasDatabase))
    }

    private static func autoscale(_ reader: inout SettingsReader, hasDatabase: Bool) -> AutoscaleSettings? {
        typealias Catalog = SettingsCatalog
        let mode = reader.value(Catalog.autoscale, orAfterProblem: .off)
        let requests = reader.value(Catalog.autoscaleRequests, orAfterProblem: 1)
        let processor = reader.value(Catalog.autoscaleProcessor, orAfterProblem: 1)
        if mode != .off, !hasDatabase {
            reader.problem(
                "TOLLGATE_AUTOSCALE",
                "\(mode.rawValue) needs TOLLGATE_DATABASE_URL: the embedded store belongs to one replica")
        }
        switch mode {
        case .off: return nil
        case .rps: return AutoscaleSettings(measure: .requests, target: Double(requests))
        case .cpu: return AutoscaleSettings(measure: .processor, target: Double(processor))
        }
    }
}
