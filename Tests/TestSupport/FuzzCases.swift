// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How many changed inputs a fuzz test tries: a short form for every run, and as many as `TOLLGATE_FUZZ_CASES` says for `make soak`.
package enum FuzzCases {
    package static func count(_ short: Int) -> Int {
        ProcessInfo.processInfo.environment["TOLLGATE_FUZZ_CASES"].flatMap(Int.init) ?? short
    }
}
