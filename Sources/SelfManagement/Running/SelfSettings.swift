// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// How the own Deployment is looked after.
package struct SelfSettings: Sendable {
    /// Who the Deployment belongs to.
    package enum DeploymentMode: String, Sendable, CaseIterable {
        /// To somebody else: only annotations of our own are kept on it.
        case adopt
        /// To Tollgate: a template is kept in force, and it is made again.
        case own
        case off
    }

    /// What is done about unhealthy pods.
    package enum Healing: String, Sendable, CaseIterable {
        case on = "true"
        /// It is judged and said what would be done.
        case dryRun = "dry-run"
        case off = "false"
    }

    package var mode: DeploymentMode
    package var healing: Healing
    package var rules: HealthRules
    package var bounds: ScaleRequest.Bounds
    package var autoscale: AutoscaleSettings?

    package init(
        mode: DeploymentMode = .adopt, healing: Healing = .on, rules: HealthRules = HealthRules(),
        bounds: ScaleRequest.Bounds, autoscale: AutoscaleSettings? = nil
    ) {
        self.mode = mode
        self.healing = healing
        self.rules = rules
        self.bounds = bounds
        self.autoscale = autoscale
    }
}

/// By what the number of replicas follows the load.
package struct AutoscaleSettings: Sendable, Hashable {
    package enum Measure: String, Sendable {
        /// Requests a second.
        case requests = "rps"
        /// Used processor time in per cent of what the pod asks for.
        case processor = "cpu"
    }

    package var measure: Measure
    /// For each replica.
    package var target: Double

    package init(measure: Measure, target: Double) {
        self.measure = measure
        self.target = target
    }
}
