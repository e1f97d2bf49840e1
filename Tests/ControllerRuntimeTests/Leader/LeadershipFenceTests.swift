// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import ControllerRuntime
internal import Testing

@Suite struct LeadershipFenceTests {
    private struct Never: LeadershipFence { var isLeading: Bool { false } }

    @Test func aFenceIsAsked() { #expect(!Never().isLeading) }
}
