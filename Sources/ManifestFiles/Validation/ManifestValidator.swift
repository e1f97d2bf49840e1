// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel

/// Checks manifest files without a running Tollgate.
package enum ManifestValidator {
    /// A text and the name by which problems call it.
    package struct Input: Sendable {
        package var name: String
        package var bytes: [UInt8]

        /// Takes both.
        package init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// Everything that is wrong with the files below the paths, by file and line. `strict` also checks what objects refer to, and makes
    /// errors of routes that can never match or cross each other.
    package static func validate(paths: [String], strict: Bool, defaultNamespace: String = "default")
        -> [ManifestProblem]
    {
        let found = ManifestFinder.find(paths)
        var problems = found.problems
        var inputs: [Input] = []
        for file in found.files {
            if let bytes = ManifestFinder.read(file.path) {
                inputs.append(Input(name: file.path, bytes: bytes))
            } else {
                problems.append(ManifestProblem(file: file.path, message: ManifestFinder.lastError()))
            }
        }
        return problems + validate(inputs, strict: strict, defaultNamespace: defaultNamespace)
    }

    /// Everything that is wrong with these texts, by file and line. `strict` as above.
    package static func validate(_ inputs: [Input], strict: Bool, defaultNamespace: String = "default")
        -> [ManifestProblem]
    {
        var assembly = ManifestAssembly(problems: [], now: Timestamp(seconds: 0))
        var files: [FileSnapshot] = []
        for input in inputs {
            var file = FileSnapshot(
                path: input.name,
                stamp: FileSnapshot.Stamp(inode: 0, size: 0, modifiedNanoseconds: 0, changedNanoseconds: 0),
                firstSeen: Timestamp(seconds: 0), objects: [])
            do {
                file.objects = try FileSnapshot.objects(of: input.bytes, defaultNamespace: defaultNamespace)
            } catch {
                file.fault = ManifestProblem(file: input.name, line: error.line, message: error.message)
            }
            files.append(file)
        }
        assembly.add(files)
        var lastGood: [ObjectKey: ManifestObject] = [:]
        var memory: [ObjectKey: ObjectMemory] = [:]
        let problems = assembly.finish(lastGood: &lastGood, memory: &memory).problems
        return problems + PolicyCheck(files, strict: strict).problems + (strict ? ReferenceCheck(files).problems : [])
    }
}
