// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Essentials
internal import TestSupport
internal import Testing

@Suite struct LRUCacheTests {
    @Test func forgetsTheLeastRecentlyUsed() {
        var cache = LRUCache<Int, String>(capacity: 2)
        #expect(cache.insert("a", for: 1) == nil)
        #expect(cache.insert("b", for: 2) == nil)
        #expect(cache.value(for: 1) == "a")
        #expect(cache.insert("c", for: 3) == 2)
        #expect(cache.peek(2) == nil)
        #expect(cache.entries.map(\.key) == [3, 1])
    }

    @Test func behavesLikeASlowModel() {
        let random = SeededRandom(seed: 5)
        var cache = LRUCache<Int, Int>(capacity: 8)
        var model: [(key: Int, value: Int)] = []
        for step in 0..<20_000 {
            let key = random.below(16)
            switch random.below(4) {
            case 0:
                let index = model.firstIndex { $0.key == key }
                #expect(cache.value(for: key) == index.map { model[$0].value })
                if let index { model.insert(model.remove(at: index), at: 0) }
            case 1:
                let index = model.firstIndex { $0.key == key }
                #expect(cache.remove(key) == index.map { model.remove(at: $0).value })
            default:
                let evicted = cache.insert(step, for: key)
                if let index = model.firstIndex(where: { $0.key == key }) { model.remove(at: index) }
                model.insert((key, step), at: 0)
                #expect(evicted == (model.count > 8 ? model.removeLast().key : nil))
            }
            #expect(cache.count == model.count)
        }
        #expect(cache.entries.map(\.value) == model.map(\.value))
    }
}
