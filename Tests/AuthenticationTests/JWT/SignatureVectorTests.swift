// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

internal import Authentication
internal import Essentials
internal import TestSupport
internal import Testing

/// The examples of RFC 7515 appendix A and RFC 8037 appendix A, and every algorithm against keys and signatures that do not belong together.
@Suite struct SignatureVectorTests {
    private static let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    struct Vector: Sendable, CustomStringConvertible {
        let description: String
        let algorithm: SignatureAlgorithm
        let jwk: JSONValue
        let token: String
    }

    static let vectors = [
        Vector(
            description: "RFC 7515 A.2", algorithm: .rs256,
            jwk: [
                "kty": "RSA", "e": "AQAB",
                "n": """
                ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2l\
                ZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa\
                2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAc\
                DTW9gb54h4FRWyuXpoQ
                """,
            ],
            token: """
                eyJhbGciOiJSUzI1NiJ9.\(claims).cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5\
                YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Q\
                e7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs9\
                8rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
                """),
        Vector(
            description: "RFC 7515 A.3", algorithm: .es256,
            jwk: [
                "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            ],
            token: """
                eyJhbGciOiJFUzI1NiJ9.\(claims).DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg\
                6NU1Q
                """),
        Vector(
            description: "RFC 7515 A.4", algorithm: .es512,
            jwk: [
                "kty": "EC", "crv": "P-521",
                "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
                "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
            ],
            token: """
                eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34X\
                O0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn
                """),
        Vector(
            description: "RFC 8037 A.4", algorithm: .edDSA,
            jwk: ["kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"],
            token: """
                eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4\
                ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg
                """),
    ]

    @Test(arguments: vectors)
    func holds(_ vector: Vector) throws {
        let key = try #require(try KeySet(json: ["keys": [vector.jwk]]).keys.first).publicKey
        let parts = vector.token.split(separator: ".")
        let signed = Array(parts[0...1].joined(separator: ".").utf8)
        let signature = try #require(Base64URL.decode(parts[2].utf8))
        #expect(key.verifies(signature, over: signed, algorithm: vector.algorithm))
        #expect(!key.verifies(signature, over: signed + [0], algorithm: vector.algorithm))
        #expect(!key.verifies(signature + [0], over: signed, algorithm: vector.algorithm))
        #expect(!key.verifies([0] + signature, over: signed, algorithm: vector.algorithm))
        #expect(!key.verifies([], over: signed, algorithm: vector.algorithm))
        for algorithm in SignatureAlgorithm.allCases where algorithm != vector.algorithm {
            #expect(!key.verifies(signature, over: signed, algorithm: algorithm))
        }
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.verifies(changed, over: signed, algorithm: vector.algorithm))
        }
    }

    @Test func holdsForRFC7515A1() throws {
        let secret = try #require(
            Base64URL.decode(
                "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow".utf8))
        let code = try #require(Base64URL.decode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".utf8))
        let signed = Array("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(Self.claims)".utf8)
        let key = SharedSecret(secret)
        #expect(key.verifies(code, over: signed, algorithm: .hs256))
        #expect(!key.verifies(code, over: signed + [0], algorithm: .hs256))
        #expect(!key.verifies(Array(code.dropLast()), over: signed, algorithm: .hs256))
        #expect(!SharedSecret(secret + [1]).verifies(code, over: signed, algorithm: .hs256))
        for algorithm in SignatureAlgorithm.allCases where algorithm != .hs256 {
            #expect(!key.verifies(code, over: signed, algorithm: algorithm))
        }
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func verifiesItsOwnKindOfSignatureOnly(_ algorithm: SignatureAlgorithm) throws {
        let signed = Array("header.payload".utf8)
        let key = try TestKeys.key(for: algorithm)
        let signature = try TokenForge.signature(over: signed, algorithm: algorithm.rawValue, key: key)
        if case .secret(let bytes) = key {
            for other in SignatureAlgorithm.allCases {
                #expect(SharedSecret(bytes).verifies(signature, over: signed, algorithm: other) == (other == algorithm))
            }
            return
        }
        let publicKey = try #require(try KeySet(json: ["keys": [try TokenForge.jwk(key)]]).keys.first).publicKey
        for other in SignatureAlgorithm.allCases {
            #expect(publicKey.verifies(signature, over: signed, algorithm: other) == (other == algorithm))
        }
        #expect(!publicKey.verifies(signature, over: signed.reversed(), algorithm: algorithm))
    }
}
