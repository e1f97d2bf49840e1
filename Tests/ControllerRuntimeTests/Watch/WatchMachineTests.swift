// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import Testing

@testable internal import ControllerRuntime

@Suite struct WatchMachineTests {
    private func error(_ code: KubernetesError.Code) -> KubernetesError { KubernetesError(code, message: "no") }

    private func watching() -> WatchMachine {
        var machine = WatchMachine()
        _ = machine.step()
        _ = machine.ended(.listed(version: "7"), at: .zero, draw: 0.5)
        return machine
    }

    @Test func beginsWithAStreamingListAndGoesOnAsAWatch() {
        var machine = WatchMachine()
        #expect(machine.step() == .streamingList)
        #expect(machine.ended(.listed(version: "7"), at: .zero, draw: 0.5) == nil)
        #expect(machine.step() == .watch(from: "7"))
    }

    @Test func aServerWithoutStreamingListsIsAskedByPagesFromThenOn() {
        var machine = WatchMachine()
        _ = machine.step()
        #expect(machine.ended(.failed(error(.invalid)), at: .zero, draw: 0.5) == nil)
        #expect(machine.step() == .list)
        _ = machine.ended(.listed(version: "7"), at: .zero, draw: 0.5)
        #expect(machine.step() == .watch(from: "7"))
        #expect(machine.ended(.failed(error(.expired)), at: .zero, draw: 0.5)?.reason == "expired")
        #expect(machine.step() == .list)
    }

    @Test func resumesFromTheLastVersionAfterAnEndAndAnIdleWatch() {
        var machine = watching()
        _ = machine.step()
        machine.saw(version: "9")
        #expect(machine.ended(.ended, at: .zero, draw: 0.5) == nil)
        #expect(machine.step() == .watch(from: "9"))
        #expect(machine.ended(.failed(error(.idle)), at: .zero, draw: 0.5)?.reason == "idle")
        #expect(machine.step() == .watch(from: "9"))
    }

    @Test func anErrorIsFollowedByAPauseAndTheSameWatch() {
        var machine = watching()
        _ = machine.step()
        #expect(machine.ended(.failed(error(.internalError)), at: .zero, draw: 0.5)?.reason == "error")
        #expect(machine.step() == .pause(.milliseconds(400)))
        #expect(machine.step() == .watch(from: "7"))
        #expect(machine.ended(.failed(error(.unreachable)), at: .seconds(1), draw: 0.5)?.reason == "error")
        #expect(machine.step() == .pause(.milliseconds(800)))
    }

    @Test func expiredVersionsListAtOnceButNotForEver() {
        var machine = watching()
        _ = machine.step()
        _ = machine.ended(.failed(error(.expired)), at: .zero, draw: 0.5)
        #expect(machine.step() == .streamingList)
        _ = machine.ended(.listed(version: "8"), at: .zero, draw: 0.5)
        _ = machine.step()
        _ = machine.ended(.failed(error(.expired)), at: .zero, draw: 0.5)
        #expect(machine.step() == .pause(.milliseconds(400)))
        #expect(machine.step() == .streamingList)
    }

    @Test func garbageIsFollowedByAPauseAndAList() {
        var machine = watching()
        _ = machine.step()
        #expect(machine.ended(.failed(error(.malformedAnswer)), at: .zero, draw: 0.5)?.reason == "garbled")
        #expect(machine.step() == .pause(.milliseconds(400)))
        #expect(machine.step() == .streamingList)
    }

    @Test(arguments: [(KubernetesError.Code.forbidden, "forbidden"), (.notFound, "missing")])
    func whatMayNotBeReadIsTriedEachMinute(_ code: KubernetesError.Code, _ reason: String) {
        var machine = WatchMachine()
        _ = machine.step()
        _ = machine.ended(.failed(error(code)), at: .zero, draw: 0.5)
        #expect(machine.step() == .list)
        #expect(machine.ended(.failed(error(code)), at: .zero, draw: 0.5)?.reason == reason)
        #expect(machine.step() == .pause(.seconds(60)))
        #expect(machine.step() == .list)
    }

    @Test func pausesGrowToThirtySecondsAndAreForgottenAfterTwoMinutes() {
        var backoff = Backoff()
        let pauses = (0..<8).map { backoff.pause(at: .seconds($0), draw: 1) / .milliseconds(1) }
        #expect(pauses.map { Int($0.rounded()) } == [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
        #expect(backoff.pause(at: .seconds(7 + 120), draw: 1) == .milliseconds(800))
        #expect(backoff.pause(at: .seconds(128), draw: 0) == .zero)
    }
}
