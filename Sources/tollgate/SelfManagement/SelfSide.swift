// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Connectors
internal import ControllerRuntime
internal import Essentials
internal import HTTPService
internal import Logging
internal import Metrics
internal import SelfManagement
internal import ServiceLifecycle

/// Self-management of a server on a cluster, put together.
struct SelfSide: Sendable {
    private static let readLimit = Duration.seconds(5)

    let manager: SelfManager
    let leader: LeaderDoor
    private let interval: Duration
    private let random: any RandomSource

    init(_ parts: ControlParts, link: ClusterLink, leading: LeaderWork, metrics: PrometheusRegistry) {
        let settings = parts.settings
        let cluster = settings.cluster
        let objects = OwnObjects(
            SelfInfo(
                namespace: link.ownNamespace, podName: cluster.podName, podIP: cluster.podIP,
                nodeName: cluster.nodeName, deployment: cluster.deployment),
            api: link.api, window: settings.selfManagement.rules.restartWindow, clock: parts.clock,
            random: parts.random, logger: parts.logger, metrics: metrics)
        let probes = ReplicaClient(certificateFile: nil)
        let port = settings.listeners.probes.port
        manager = SelfManager(
            SelfManager.Parts(
                api: link.api, fence: link.elector, leading: leading, settings: settings.selfManagement,
                objects: objects, events: link.events, audit: parts.audit, metrics: metrics, clock: parts.clock,
                logger: parts.logger, notices: parts.notices
            ) { pod in
                guard let text = pod.address, let address = IPAddress(text) else { return nil }
                // A replica that does not answer counts as one that could not be measured.
                let answer = try? await probes.send(
                    ReplicaCall(method: "GET", target: "/metrics"),
                    to: ReplicaAddress(address: address, port: port, usesTLS: false), within: Self.readLimit)
                guard let answer, answer.status == 200 else { return nil }
                return String(decoding: answer.body, as: UTF8.self)
            })
        leader = LeaderDoor(
            elector: link.elector, identity: link.identity,
            client: ReplicaClient(certificateFile: settings.listeners.tls?.certificate), logger: parts.logger)
        interval = settings.reconcileInterval
        random = parts.random
        metrics.onScrape { [manager] in manager.show() }
    }

    var services: [any Service] {
        [
            ClosureService(name: "own objects") { [manager] in await manager.watch() },
            ClosureService(name: "self-management") { [manager, interval, random] in
                await manager.run(every: interval, random: random)
            },
        ]
    }
}
