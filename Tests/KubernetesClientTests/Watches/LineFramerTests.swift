// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import ResourceModel
internal import TestSupport
internal import Testing

@testable import KubernetesClient

@Suite struct LineFramerTests {
    @Test func framesTheSameHoweverTheBytesCome() throws {
        let random = SeededRandom(seed: 7)
        for _ in 0..<FuzzCases.count(500) {
            let bytes = (0..<random.below(200)).map { _ in
                random.below(5) == 0 ? UInt8(0x0A) : UInt8(97 + random.below(26))
            }
            let expected = bytes.split(separator: 0x0A).map(Array.init)
            var framer = LineFramer(maximumBytes: 200)
            var lines: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = 1 + random.below(9)
                lines += try framer.take(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            #expect(lines == (bytes.last == 0x0A || bytes.isEmpty ? expected : Array(expected.dropLast())))
            #expect(framer.hasRest == (bytes.last != nil && bytes.last != 0x0A))
        }
    }

    @Test func boundsALine() throws {
        var framer = LineFramer(maximumBytes: 4)
        #expect(try framer.take(Array("abcd\nab".utf8)).count == 1)
        #expect(throws: LineFramer.TooLong()) { try framer.take(Array("cde".utf8)) }
        framer = LineFramer(maximumBytes: 4)
        #expect(throws: LineFramer.TooLong()) { try framer.take(Array("abcde\n".utf8)) }
    }

    @Test func readsEveryKindOfEvent() throws {
        func event(_ text: String) throws -> WatchEvent { try WatchEventReader.event(Array(text.utf8)) }
        let object = #"{"metadata":{"name":"a","managedFields":[]}}"#
        let trimmed: JSONValue = ["metadata": ["name": "a"]]
        #expect(try event(#"{"type":"ADDED","object":\#(object)}"#) == .added(trimmed))
        #expect(try event(#"{"type":"MODIFIED","object":\#(object)}"#) == .modified(trimmed))
        #expect(try event(#"{"type":"DELETED","object":\#(object)}"#) == .deleted(trimmed))
        #expect(
            try event(#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#)
                == .bookmark(resourceVersion: "9", endsInitialEvents: false))
        let end = #""annotations":{"k8s.io/initial-events-end":"true"}"#
        #expect(
            try event(#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9",\#(end)}}}"#)
                == .bookmark(resourceVersion: "9", endsInitialEvents: true))
        let gone = #"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#
        #expect(
            try event(#"{"type":"ERROR","object":\#(gone)}"#)
                == .error(KubernetesError(.expired, status: 410, reason: "Expired", message: "too old")))
    }

    @Test(arguments: [
        "", "{", "[]", #"{"type":"ADDED"}"#, #"{"type":"ADDED","object":1}"#, #"{"object":{}}"#,
        #"{"type":"NEW","object":{}}"#, #"{"type":"BOOKMARK","object":{"metadata":{}}}"#,
    ])
    func refuses(_ line: String) {
        do {
            _ = try WatchEventReader.event(Array(line.utf8))
            Issue.record("\(line) was taken")
        } catch { #expect(error.code == .malformedAnswer) }
    }
}
