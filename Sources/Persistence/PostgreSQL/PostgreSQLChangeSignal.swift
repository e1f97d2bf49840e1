// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

package import Essentials

/// The notifications of the database: whoever announces a change gives one when it commits.
package struct PostgreSQLChangeSignal: ChangeSignal {
    package let name = "listen"
    private let listener: PostgreSQLListener

    package init(_ listener: PostgreSQLListener) { self.listener = listener }

    package func run(_ tell: @escaping @Sendable (ChangeSignalEvent) -> Void) async {
        await listener.run(
            channel: PostgreSQLTransaction.changesChannel, onNotice: { tell(.notice) }, onUp: { tell(.up) },
            onDown: { _ in tell(.down) })
    }
}
