"""Tokens of each algorithm under new keys, and their key set, by PyJWT.

    python pyjwt.py > pyjwt.json
"""

import json
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "ed": ed25519.Ed25519PrivateKey.generate(),
}
WRITERS = {
    "rsa": jwt.algorithms.RSAAlgorithm,
    "p256": jwt.algorithms.ECAlgorithm,
    "p384": jwt.algorithms.ECAlgorithm,
    "ed": jwt.algorithms.OKPAlgorithm,
}
ALGORITHMS = {
    "RS256": "rsa",
    "RS384": "rsa",
    "RS512": "rsa",
    "PS256": "rsa",
    "PS384": "rsa",
    "PS512": "rsa",
    "ES256": "p256",
    "ES384": "p384",
    "EdDSA": "ed",
}
CLAIMS = {
    "iss": "https://idp.acme.test",
    "sub": "user-17",
    "aud": "hallpass",
    "iat": 1795900000,
    "nbf": 1795900000,
    "exp": 1795903600,
    "groups": ["finance"],
}


def public(name):
    jwk = json.loads(WRITERS[name].to_jwk(KEYS[name].public_key()))
    return {**jwk, "kid": f"key-{name}", "use": "sig"}


tokens = [
    {"alg": alg, "token": jwt.encode(CLAIMS, KEYS[name], algorithm=alg, headers={"kid": f"key-{name}"})}
    for alg, name in ALGORITHMS.items()
]
json.dump({"jwks": {"keys": [public(name) for name in KEYS]}, "tokens": tokens}, sys.stdout, indent=1)
