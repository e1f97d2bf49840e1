// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// A program that prints a credential, as a kubeconfig names it.
///
/// Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
package struct ExecPlugin: Sendable, Equatable {
    /// The form of what it reads and prints.
    package enum Version: String, Sendable, CaseIterable {
        case v1 = "client.authentication.k8s.io/v1"
        case v1beta1 = "client.authentication.k8s.io/v1beta1"
    }

    /// Whether it may ask a person. Tollgate has no terminal to offer, so `always` cannot be met.
    package enum InteractiveMode: String, Sendable, CaseIterable {
        case never = "Never"
        case ifAvailable = "IfAvailable"
        case always = "Always"
    }

    /// One variable that is set for it.
    package struct Variable: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var version: Version
    /// A path, or a name that is looked for along PATH.
    package var command: String
    package var arguments: [String]
    package var environment: [Variable]
    package var interactiveMode: InteractiveMode
    /// Whether it is told about the cluster.
    package var providesClusterInfo: Bool
    /// What a person is told when the program is not there.
    package var installHint: String?

    package init(
        version: Version, command: String, arguments: [String] = [], environment: [Variable] = [],
        interactiveMode: InteractiveMode = .ifAvailable, providesClusterInfo: Bool = false, installHint: String? = nil
    ) {
        self.version = version
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.interactiveMode = interactiveMode
        self.providesClusterInfo = providesClusterInfo
        self.installHint = installHint
    }
}
