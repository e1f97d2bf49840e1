// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

/// Lists of texts as C takes them.
enum CStrings {
    /// Runs the body with a list of pointers that ends with a null; a text that is nil is a null too.
    ///
    /// The texts end at their first NUL.
    static func with<Value>(
        _ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
    ) -> Value {
        var bytes: [CChar] = []
        var offsets: [Int?] = []
        offsets.reserveCapacity(texts.count)
        for text in texts {
            guard let text else {
                offsets.append(nil)
                continue
            }
            offsets.append(bytes.count)
            for byte in text.utf8 { bytes.append(CChar(bitPattern: byte)) }
            bytes.append(0)
        }
        // A list without any text has no address of its own.
        bytes.append(0)
        return bytes.withUnsafeBufferPointer { storage in
            var pointers = offsets.map { offset in offset.flatMap { storage.baseAddress?.advanced(by: $0) } }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
