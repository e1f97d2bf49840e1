// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials

/// Makes values of events, within bounds.
struct YAMLBuilder {
    private struct Anchored {
        var document: YAMLDocument
        var count: Int
        var depth: Int
    }

    private let limits: YAMLReader.Limits
    private var valuesLeft: Int
    private var anchors: [String: Anchored] = [:]
    /// How deep the value that was built last is in itself.
    private var height = 0

    init(limits: YAMLReader.Limits) {
        self.limits = limits
        valuesLeft = limits.values
    }

    mutating func documents(_ events: inout YAMLEvents) throws(YAMLFault) -> [YAMLDocument] {
        var all: [YAMLDocument] = []
        while true {
            switch try events.next() {
            case .streamEnd: return all
            case .documentStart:
                anchors = [:]
                let document = try node(try events.next(), &events, depth: 0)
                if !document.value.isNull { all.append(document) }
            default: break
            }
        }
    }

    private func fault(_ code: YAMLFault.Code, _ line: Int, _ message: String) -> YAMLFault {
        YAMLFault(code: code, line: line, message: message)
    }

    private mutating func take(_ count: Int, depth: Int, _ line: Int) throws(YAMLFault) {
        valuesLeft -= count
        guard valuesLeft >= 0 else {
            throw fault(.tooManyValues, line, "there are more than \(limits.values) values, aliases counted")
        }
        guard depth <= limits.depth else {
            throw fault(.tooDeep, line, "lists and objects are nested deeper than \(limits.depth)")
        }
    }

    private mutating func node(_ event: YAMLEvent, _ events: inout YAMLEvents, depth: Int) throws(YAMLFault)
        -> YAMLDocument
    {
        let line = events.line
        let before = valuesLeft
        try take(1, depth: depth, line)
        let document: YAMLDocument
        let anchor: String?
        switch event {
        case .alias(let name):
            guard let target = anchors[name] else {
                throw fault(.unknownAlias, line, "there is no anchor of that name before this alias")
            }
            try take(target.count - 1, depth: depth + target.depth, line)
            height = target.depth
            return YAMLDocument(
                value: target.document.value, lines: LineMap(line: line, children: target.document.lines.children))
        case .scalar(let text, let isPlain, let tag, let name):
            let value = try YAMLScalar.value(text, isPlain: isPlain, tag: tag, line: line)
            document = YAMLDocument(value: value, lines: LineMap(line: line))
            anchor = name
            height = 0
        case .sequenceStart(let tag, let name):
            try take(0, depth: depth + 1, line)
            try check(tag, is: "seq", line)
            document = try list(&events, line, depth: depth + 1)
            anchor = name
        case .mappingStart(let tag, let name):
            try take(0, depth: depth + 1, line)
            try check(tag, is: "map", line)
            document = try object(&events, line, depth: depth + 1)
            anchor = name
        default: throw fault(.syntax, line, "this is no YAML: a value is missing")
        }
        if let anchor {
            anchors[anchor] = Anchored(document: document, count: before - valuesLeft, depth: height)
        }
        return document
    }

    private func check(_ tag: String?, is kind: String, _ line: Int) throws(YAMLFault) {
        guard let tag, tag != "!", tag != "tag:yaml.org,2002:" + kind else { return }
        throw fault(.badTag, line, "this tag is not read; remove it")
    }

    private mutating func list(_ events: inout YAMLEvents, _ line: Int, depth: Int) throws(YAMLFault) -> YAMLDocument {
        var elements: [JSONValue] = []
        var lines = LineMap(line: line)
        var deepest = 0
        while true {
            let event = try events.next()
            if case .sequenceEnd = event { break }
            let element = try node(event, &events, depth: depth)
            deepest = max(deepest, height)
            elements.append(element.value)
            lines.children.append(element.lines)
        }
        height = deepest + 1
        return YAMLDocument(value: .array(elements), lines: lines)
    }

    private mutating func object(_ events: inout YAMLEvents, _ line: Int, depth: Int) throws(YAMLFault) -> YAMLDocument
    {
        var members = YAMLMembers()
        var merged: [YAMLDocument] = []
        var deepest = 0
        while true {
            let event = try events.next()
            if case .mappingEnd = event { break }
            let keyLine = events.line
            let key = try node(event, &events, depth: depth)
            let value = try node(try events.next(), &events, depth: depth)
            deepest = max(deepest, height)
            if case .scalar("<<", true, _, _) = event {
                merged.append(value)
                continue
            }
            let name = try YAMLScalar.memberName(key.value, line: keyLine)
            guard members.add(name, value.value, LineMap(line: keyLine, children: value.lines.children)) else {
                throw fault(
                    .duplicateKey, keyLine, "the name \(YAMLScalar.shown(name)) stands twice in this object; keep one")
            }
        }
        for source in merged { try merge(source, into: &members) }
        height = deepest + 1
        return YAMLDocument(
            value: .object(JSONObject(uniqueMembers: members.members)),
            lines: LineMap(line: line, children: members.lines))
    }

    private func merge(_ source: YAMLDocument, into members: inout YAMLMembers) throws(YAMLFault) {
        switch source.value {
        case .object(let object):
            for (member, lines) in zip(object.members, source.lines.children) {
                _ = members.add(member.name, member.value, lines)
            }
        case .array(let elements):
            for (element, lines) in zip(elements, source.lines.children) {
                guard case .object = element else {
                    throw fault(.badMerge, lines.line, "<< needs an object or a list of objects")
                }
                try merge(YAMLDocument(value: element, lines: lines), into: &members)
            }
        default: throw fault(.badMerge, source.lines.line, "<< needs an object or a list of objects")
        }
    }
}

/// The members of an object while it is read; names are told apart in constant time once there are many.
struct YAMLMembers {
    private(set) var members: [JSONObject.Member] = []
    private(set) var lines: [LineMap] = []
    private var names: Set<String> = []

    /// Adds a member; false when the name is there already.
    mutating func add(_ name: String, _ value: JSONValue, _ line: LineMap) -> Bool {
        if members.count == 16 { names = Set(members.map(\.name)) }
        let isNew =
            members.count < 16 ? !members.contains { $0.name == name } : names.insert(name).inserted
        guard isNew else { return false }
        members.append(JSONObject.Member(name: name, value: value))
        lines.append(line)
        return true
    }
}
