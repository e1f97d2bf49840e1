// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// `spec` of a ToolManifest: a signed permission to run a tool.
package struct ToolManifestSpec: ResourceSpec {
    package static let kind = ResourceKind.toolManifest

    /// The signed document, verbatim; the tool gate checks it, not the schema.
    package var manifest: JSONValue
    package var executable: String?
    package var suspend: Bool

    package static let schema = Schema.object(
        "A signed permission to run a tool.",
        [
            Property(
                "manifest", .anyObject("The signed document, verbatim. Every byte is under its signature."),
                required: true),
            Property(
                "executable",
                .text(
                    "The executable, below the tools directory.", min: 1, max: 256, pattern: .relativePath,
                    rules: [
                        Rule("!self.split('/').exists(s, s == '..')", "has a .. segment; write a path without") {
                            !($0.stringValue ?? "").split(separator: "/").contains("..")
                        }
                    ])),
            Property("suspend", .boolean("Whether the tool may not run for now.").defaulting(to: false)),
        ])
}
