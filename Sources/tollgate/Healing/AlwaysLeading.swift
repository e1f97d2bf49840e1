// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime

/// Where this process is the only one.
struct AlwaysLeading: LeadershipFence {
    var isLeading: Bool { true }
}
