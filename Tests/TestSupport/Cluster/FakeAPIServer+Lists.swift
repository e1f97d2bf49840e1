// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import Foundation
internal import ResourceModel
internal import Synchronization

/// Lists and watches.
extension FakeAPIServer {
    /// What is left of an object when only metadata is wanted.
    static func metadata(of document: JSONValue) -> JSONValue {
        [
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": document["metadata"] ?? .object([:]),
        ]
    }

    func list(_ route: RequestRoute, _ request: IncomingRequest, _ state: inout State) throws(APIStatus) -> JSONValue {
        let resource = route.resource
        let selector = try ObjectSelector(
            labels: route.query["labelSelector"], fields: route.query["fieldSelector"], resource: resource)
        let limit = try Self.number(route.query["limit"])
        var page = Page(version: state.cluster.version, items: [])
        var start = 0
        if let token = route.query["continue"] {
            let (name, offset) = try Self.read(token)
            guard let known = state.pages[name] else { throw .continueExpired }
            page = known
            start = offset
        } else {
            let items = state.cluster.all(resource, namespace: route.namespace).filter(selector.matches)
            page = Page(version: state.cluster.version, items: items)
        }
        let end = limit > 0 ? min(page.items.count, start + limit) : page.items.count
        var metadata: JSONObject = ["resourceVersion": .string("\(page.version)")]
        if end < page.items.count {
            let name =
                "\(page.version) \(request.path) \(route.query["labelSelector"] ?? "") "
                + "\(route.query["fieldSelector"] ?? "")"
            state.pages[name] = page
            metadata["continue"] = .string(Self.token(name, end))
            metadata["remainingItemCount"] = .int(Int64(page.items.count - end))
        }
        let items = page.items[start..<max(start, end)]
        if request.isMetadataOnly {
            return [
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": .object(metadata),
                "items": .array(items.map(Self.metadata(of:))),
            ]
        }
        // Custom resources come with the items before the metadata, and built-in kinds without kind in their items.
        guard resource.ownKind == nil else {
            return [
                "apiVersion": .string(resource.apiVersion), "items": .array(Array(items)),
                "kind": .string(resource.kind + "List"), "metadata": .object(metadata),
            ]
        }
        let bare = items.map { item -> JSONValue in
            var item = item
            item.set("kind", to: nil)
            item.set("apiVersion", to: nil)
            return item
        }
        return [
            "kind": .string(resource.kind + "List"), "apiVersion": .string(resource.apiVersion),
            "metadata": .object(metadata), "items": .array(bare),
        ]
    }

    private static func number(_ text: String?) throws(APIStatus) -> Int {
        guard let text, !text.isEmpty else { return 0 }
        guard let number = Int(text) else {
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return number
    }

    private static func token(_ name: String, _ offset: Int) -> String {
        BuiltInRules.base64(
            JSONValue.object(["v": "meta.k8s.io/v1", "rv": .string(name), "start": .int(Int64(offset))]).jsonText)
    }

    private static func read(_ token: String) throws(APIStatus) -> (String, Int) {
        // Whatever is wrong with it, the answer is the same.
        guard let data = Data(base64Encoded: token), let value = try? JSONParser.parse(Array(data)),
            let name = value["rv"]?.stringValue, let start = value["start"]?.intValue
        else { throw .badRequest("invalid continue token: continue key is not valid") }
        return (name, Int(start))
    }

    // MARK: Watches

    func watch(
        _ route: RequestRoute, _ request: IncomingRequest, _ faults: [APIFault], _ exchange: Exchange
    ) throws(APIStatus) {
        let selector = try ObjectSelector(
            labels: route.query["labelSelector"], fields: route.query["fieldSelector"], resource: route.resource)
        let isStreamingList = route.query["sendInitialEvents"] == "true"
        if isStreamingList, route.query["resourceVersionMatch"] != "NotOlderThan" {
            throw .listOptions(
                "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        let given = route.query["resourceVersion"] ?? ""
        guard let version = given.isEmpty ? 0 : Int(given) else {
            throw APIStatus(
                500, "",
                "resourceVersion: Invalid value: \"\(given)\": strconv.ParseUint: parsing \"\(given)\": invalid syntax")
        }
        let timeout = try Self.number(route.query["timeoutSeconds"])
        let stream = WatchStream(exchange: exchange, faults: faults)
        let watch = Watch(
            route: route, selector: selector, isMetadataOnly: request.isMetadataOnly,
            wantsBookmarks: route.query["allowWatchBookmarks"] == "true", stream: stream,
            connection: request.connection)
        let id = state.withLock { state in
            exchange.begin(200)
            stream.start()
            state.nextWatch += 1
            state.watches[state.nextWatch] = watch
            sendBacklog(watch, from: version, isStreamingList: isStreamingList, state)
            return state.nextWatch
        }
        if timeout > 0 { exchange.schedule(in: timeout) { [weak self] in self?.timeOut(id) } }
    }

    private func sendBacklog(_ watch: Watch, from version: Int, isStreamingList: Bool, _ state: borrowing State) {
        let cluster = state.cluster
        if version == 0 || isStreamingList {
            for object in cluster.all(watch.route.resource, namespace: watch.route.namespace)
            where watch.selector.matches(object) { watch.stream.send(line(.added, object, watch)) }
            if isStreamingList || version == 0, watch.wantsBookmarks {
                watch.stream.sendBookmark(
                    bookmark(watch.route, cluster.version, endsInitialEvents: isStreamingList))
            }
        } else if version < cluster.oldest {
            let status = APIStatus.tooOld(version, oldest: cluster.oldest)
            watch.stream.disturb(.errorEvent(status.code, reason: status.reason, message: status.message))
        } else {
            for event in cluster.history where event.version > version { deliver(event, to: watch) }
        }
    }

    private func timeOut(_ id: Int) {
        state.withLock { state in
            guard let watch = state.watches.removeValue(forKey: id) else { return }
            if watch.wantsBookmarks {
                watch.stream.sendBookmark(bookmark(watch.route, state.cluster.version, endsInitialEvents: false))
            }
            watch.stream.end()
        }
    }

    /// Tells the watches what has changed. Whoever changes something calls this before it lets the state go.
    func tell(_ state: inout State) {
        let events = state.cluster.fresh
        guard !events.isEmpty else { return }
        state.cluster.fresh = []
        for event in events {
            for watch in state.watches.values { deliver(event, to: watch) }
        }
        state.watches = state.watches.filter { !$0.value.stream.isOver }
    }

    private func deliver(_ event: ClusterState.Event, to watch: Watch) {
        guard event.resourceID == watch.route.resource.id,
            watch.route.namespace == nil || watch.route.namespace == event.namespace
        else { return }
        let isSelected = event.change != .deleted && watch.selector.matches(event.object)
        let wasSelected = event.previous.map(watch.selector.matches) ?? false
        switch (wasSelected, isSelected) {
        case (false, true): watch.stream.send(line(.added, event.object, watch))
        case (true, true): watch.stream.send(line(.modified, event.object, watch))
        case (true, false): watch.stream.send(line(.deleted, event.object, watch))
        case (false, false): break
        }
    }

    private func line(_ change: ClusterState.Change, _ object: JSONValue, _ watch: Watch) -> [UInt8] {
        JSONValue.object([
            "type": .string(change.rawValue),
            "object": watch.isMetadataOnly ? Self.metadata(of: object) : object,
        ]).encoded() + [0x0A]
    }

    func bookmark(_ route: RequestRoute, _ version: Int, endsInitialEvents: Bool) -> [UInt8] {
        var metadata: JSONObject = ["resourceVersion": .string("\(version)"), "creationTimestamp": .null]
        if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        return JSONValue.object([
            "type": "BOOKMARK",
            "object": [
                "kind": .string(route.resource.kind), "apiVersion": .string(route.resource.apiVersion),
                "metadata": .object(metadata),
            ],
        ]).encoded() + [0x0A]
    }
}
