"""An authorization server on the loopback, for a test of token exchange (RFC 8693).

What it does about tokens is the package idpyoidc's; here is only how it is set up, and the HTTP around its token endpoint. The first line that
it prints says where it is and gives an access token of `agent-9`, which a host would have from a login. It ends with its standard input.
"""

import json
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from idpyoidc.message.oauth2 import AuthorizationRequest
from idpyoidc.server import Server
from idpyoidc.server.authn_event import create_authn_event
from idpyoidc.server.authz import AuthzHandling
from idpyoidc.server.client_authn import verify_client
from idpyoidc.server.configure import ASConfiguration
from idpyoidc.time_util import utc_time_sans_frac

AUDIENCE = "https://orders.acme.test"
SCOPES = ["orders.read", "orders.list"]
KEYS = [{"type": "EC", "crv": "P-256", "use": ["sig"]}]
CRYPT = {"kwargs": {"keys": {"key_defs": [
    {"type": "OCT", "use": ["enc"], "kid": "password"},
    {"type": "OCT", "use": ["enc"], "kid": "salt"},
]}, "iterations": 1}}
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
MINTS = {"supports_minting": ["access_token"], "expires_in": 300}


def said(user_id, salt="", sector_identifier=""):
    """Who a token is for is who it is asked for."""
    return user_id


def configured(folder):
    token = {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": 300, "aud": []}}
    return {
        "issuer": "https://as.acme.test",
        "keys": {"uri_path": "jwks.json", "key_defs": KEYS},
        "endpoint": {
            "authorization": {
                "path": "authorization",
                "class": "idpyoidc.server.oauth2.authorization.Authorization",
                "kwargs": {},
            },
            "token": {
                "path": "token",
                "class": "idpyoidc.server.oauth2.token.Token",
                "kwargs": {
                    "client_authn_method": ["client_secret_basic"],
                    "grant_types_helpers": {
                        "authorization_code": {"class": "idpyoidc.server.oauth2.token_helper.access_token.AccessTokenHelper"},
                        EXCHANGE: {
                            "class": "idpyoidc.server.oauth2.token_helper.token_exchange.TokenExchangeHelper",
                            "kwargs": {
                                "requested_token_types_supported": [ACCESS_TOKEN],
                                "subject_token_types_supported": [ACCESS_TOKEN],
                                "policy": {"": {
                                    "function": "idpyoidc.server.oauth2.token_helper.validate_token_exchange_policy",
                                    "kwargs": {"scope": SCOPES, "audience": [AUDIENCE]},
                                }},
                            },
                        },
                    },
                },
            },
        },
        "authentication": {
            "anon": {"acr": "none", "class": "idpyoidc.server.user_authn.user.NoAuthn", "kwargs": {"user": "agent-9"}}
        },
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": {}}},
        "client_authn": verify_client,
        "scopes_to_claims": {scope: [] for scope in SCOPES},
        "authz": {
            "class": AuthzHandling,
            "kwargs": {"grant_config": {
                "usage_rules": {"authorization_code": MINTS, "access_token": MINTS},
                "expires_in": 43200,
            }},
        },
        "token_handler_args": {
            "jwks_def": {"private_path": f"{folder}/token_jwks.json", "read_only": False, "key_defs": [{"type": "oct", "bytes": "24", "use": ["enc"], "kid": "code"}]},
            "code": {"lifetime": 600, "kwargs": {"crypt_conf": CRYPT}},
            "token": token,
        },
        "session_params": {"encrypter": CRYPT, "sub_func": {"public": {"function": said}}},
    }


def main():
    folder = tempfile.mkdtemp()
    server = Server(ASConfiguration(conf=configured(folder), base_path=folder), cwd=folder)
    context = server.context
    context.map_supported_to_preferred()
    for client in ["broker"]:
        context.cdb[client] = {
            "client_secret": "of-this-test-alone",
            "redirect_uris": [("https://acme.test/cb", None)],
            "client_salt": "salted",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types_supported": ["authorization_code", EXCHANGE],
            "response_types_supported": ["code"],
            "allowed_scopes": SCOPES + ["orders.write"],
        }
    endpoint = server.get_endpoint("token")
    manager = context.session_manager
    asked = AuthorizationRequest(
        client_id="broker", redirect_uri="https://acme.test/cb", scope=SCOPES, state="s", response_type="code"
    )
    session = manager.create_session(create_authn_event("agent-9"), asked, "agent-9", client_id="broker", sub_type="public")
    grant = context.authz(session, asked)
    subject = grant.mint_token(
        session_id=session,
        context=context,
        token_class="access_token",
        token_handler=manager.token_handler["access_token"],
        usage_rules=grant.usage_rules["access_token"],
    )
    # An exchange gives no token that lives for longer.
    subject.expires_at = utc_time_sans_frac() + 300
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            form = {name: said if name == "audience" else " ".join(said) for name, said in form.items()}
            http = {"headers": {name.lower(): value for name, value in self.headers.items()}}
            with lock:
                request = endpoint.parse_request(form, http_info=http)
                if "error" in request:
                    answer = request
                else:
                    answer = endpoint.process_request(request=request)
                    answer = answer.get("response_args", answer)
            answer = answer.to_dict() if hasattr(answer, "to_dict") else dict(answer)
            text = json.dumps(answer).encode()
            self.send_response(400 if "error" in answer else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    print(json.dumps({"port": listener.server_port, "subject_token": subject.value}), flush=True)
    sys.stdin.read()


main()
