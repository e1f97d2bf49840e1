// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Essentials
package import RuntimeState

/// Policy data as `data.json` and `routes.yaml` of a directory. Both have to be there.
///
/// The directory may be a mounted ConfigMap, whose files change all at once through a symbolic link; then it is read-only.
package struct FolderPolicySource: PolicySource {
    /// The directory.
    package let folder: String
    private var rolesPath: String { "\(folder)/\(PolicyProblem.Document.roles.rawValue)" }
    private var routesPath: String { "\(folder)/\(PolicyProblem.Document.routes.rawValue)" }

    /// How often both files are read until neither changed meanwhile.
    private static let attempts = 5

    package init(folder: String) { self.folder = folder }

    package func read() -> PolicyReading? {
        PolicyReading(
            origin: PolicyOrigin(kind: .files, location: folder, readOnlyReason: readOnlyReason), content: content)
    }

    package func write(roles: [UInt8], over texts: PolicyTexts) async throws(PolicyWriteFailure) {
        if let readOnlyReason { throw PolicyWriteFailure(.failed, readOnlyReason) }
        let isWritten: Bool
        do throws(DurableFile.Failure) {
            isWritten = try replace(texts, with: roles)
        } catch {
            throw PolicyWriteFailure(.failed, "\(error)")
        }
        guard isWritten else {
            throw PolicyWriteFailure(.changed, "the files in \(folder) were changed by somebody else")
        }
    }

    /// False, with nothing written, when the files are not as they were read.
    private func replace(_ old: PolicyTexts, with roles: [UInt8]) throws(DurableFile.Failure) -> Bool {
        guard let oldRoles = old.roles,
            try DurableFile.read(routesPath, limit: PolicyTexts.maximumBytes) == old.routes
        else { return false }
        return try DurableFile.replace(oldRoles, with: roles, at: rolesPath)
    }

    private var readOnlyReason: String? {
        DurableFile.isReplaceable(rolesPath)
            ? nil
            : "The policy data comes from \(folder), which this process cannot write: change data.json where it is kept"
    }

    /// The role document is read before and after the routes, so that the two belong to each other.
    private var content: PolicyReading.Content {
        var texts = PolicyTexts()
        for _ in 0..<Self.attempts {
            var problems: [PolicyProblem] = []
            texts.roles = text(.roles, rolesPath, &problems)
            texts.routes = text(.routes, routesPath, &problems)
            guard problems.isEmpty else { return .unreadable(problems) }
            var later: [PolicyProblem] = []
            if text(.roles, rolesPath, &later) == texts.roles { break }
        }
        return .texts(texts)
    }

    private func text(
        _ document: PolicyProblem.Document, _ path: String, _ problems: inout [PolicyProblem]
    ) -> [UInt8]? {
        do throws(DurableFile.Failure) {
            if let bytes = try DurableFile.read(path, limit: PolicyTexts.maximumBytes) { return bytes }
            problems.append(PolicyProblem(document, "there is no \(path)"))
        } catch {
            problems.append(PolicyProblem(document, "\(error)"))
        }
        return nil
    }
}
