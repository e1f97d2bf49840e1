// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How the most careless of servers might read a request target.
enum LenientPath {
    /// Whether any reading of the target lies below `/folder`: decoded up to three times, backslashes as slashes, path parameters dropped,
    /// dots and doubled slashes resolved.
    static func mayReach(_ folder: String, _ target: String) -> Bool {
        var text = String(target.prefix { $0 != "?" && $0 != "#" })
        for _ in 0..<4 {
            if resolved(text).first == folder { return true }
            text = text.removingPercentEncoding ?? text
        }
        return false
    }

    private static func resolved(_ path: String) -> [String] {
        var segments: [String] = []
        for part in path.replacing("\\", with: "/").split(separator: "/") {
            let segment = String(part.prefix { $0 != ";" })
            switch segment {
            case ".", "": continue
            case "..": _ = segments.popLast()
            default: segments.append(segment)
            }
        }
        return segments
    }
}
