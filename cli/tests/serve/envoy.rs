//! Envoy's external authorization, over HTTP/2.

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http2;
use hyper::http::{HeaderMap, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::server::{SECRET, Server};
use crate::world::Folder;
use crate::world::gated::{outcomes, records};

const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Robots of the shop read orders, and refund little.
const SHOP: &str = r#"
    version = 1
    [[rule]]
    id = "read"
    effect = "permit"
    who = { id = { prefix = "spiffe://shop.test/" }, kind = "workload" }
    what = { tool = "http:GET", args = { host = "orders.test", path = { glob = "/orders/*" } } }
    why = { purpose = "orders" }
    [[rule]]
    id = "refund"
    effect = "permit"
    what = { tool = "http:POST", args = { host = "orders.test", path = "/refunds", body = { fields = { amount = { above = 0, max = 50 } } } } }
    when = { env = "prod" }
"#;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Asked {
    #[prost(message, optional, tag = "1")]
    attributes: Option<Attributes>,
}

#[derive(Clone, PartialEq, Message)]
struct Attributes {
    #[prost(message, optional, tag = "1")]
    source: Option<Source>,
    #[prost(message, optional, tag = "4")]
    request: Option<Held>,
    #[prost(btree_map = "string, string", tag = "10")]
    extensions: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct Source {
    #[prost(string, tag = "4")]
    principal: String,
}

#[derive(Clone, PartialEq, Message)]
struct Held {
    #[prost(message, optional, tag = "2")]
    http: Option<Http>,
}

#[derive(Clone, PartialEq, Message)]
struct Http {
    #[prost(string, tag = "2")]
    method: String,
    #[prost(btree_map = "string, string", tag = "3")]
    headers: std::collections::BTreeMap<String, String>,
    #[prost(string, tag = "4")]
    path: String,
    #[prost(string, tag = "5")]
    host: String,
    #[prost(string, tag = "11")]
    body: String,
    #[prost(bytes = "vec", tag = "12")]
    raw_body: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Told {
    #[prost(message, optional, tag = "1")]
    status: Option<Status>,
    #[prost(message, optional, tag = "2")]
    denied: Option<Denied>,
    #[prost(bytes = "vec", optional, tag = "3")]
    permitted: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Denied {
    #[prost(message, optional, tag = "1")]
    status: Option<Status>,
    #[prost(string, tag = "3")]
    body: String,
}

/// What came back: the status over HTTP, the one of gRPC, and the message.
struct Answered {
    http: u16,
    grpc: Option<String>,
    told: Option<Told>,
}

impl Answered {
    /// The status that Envoy gives its client, with the code in its body.
    fn denied(&self) -> (i32, String) {
        let told = self.told.as_ref().unwrap();
        let denied = told.denied.as_ref().unwrap();
        assert!(told.permitted.is_none() && told.status.as_ref().unwrap().code != 0);
        let body: serde_json::Value = serde_json::from_str(&denied.body).unwrap();
        let code = body["code"].as_str().unwrap_or("none").to_owned();
        (denied.status.as_ref().unwrap().code, code)
    }

    fn is_permitted(&self) -> bool {
        let told = self.told.as_ref().unwrap();
        let permitted = told.permitted.is_some();
        assert_eq!(permitted, told.denied.is_none() && told.status == Some(Status { code: 0 }));
        permitted
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

fn grpc_status(headers: &HeaderMap) -> Option<String> {
    headers.get("grpc-status").map(|own| own.to_str().unwrap().to_owned())
}

/// Sends bytes to the method over HTTP/2, without TLS.
fn sent(server: &Server, secret: &str, body: Vec<u8>) -> Answered {
    Runtime::new().unwrap().block_on(async {
        let stream = TcpStream::connect(&server.address).await.unwrap();
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post(format!("http://pdp.test{CHECK}"))
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {secret}"))
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        let read = body.collect().await.unwrap();
        let trailers = read.trailers().cloned().unwrap_or_default();
        let grpc = grpc_status(&parts.headers).or_else(|| grpc_status(&trailers));
        let bytes = read.to_bytes();
        let told = (grpc.as_deref() == Some("0")).then(|| Told::decode(&bytes[5..]).unwrap());
        Answered { http: parts.status.as_u16(), grpc, told }
    })
}

fn asked(server: &Server, asked: &Asked) -> Answered {
    let answered = sent(server, SECRET, framed(&asked.encode_to_vec()));
    assert_eq!((answered.http, answered.grpc.as_deref()), (200, Some("0")));
    answered
}

fn request(principal: &str, http: Http) -> Asked {
    let source = Some(Source { principal: principal.to_owned() });
    let request = Some(Held { http: Some(http) });
    Asked { attributes: Some(Attributes { source, request, extensions: [].into() }) }
}

fn read(path: &str) -> Http {
    let (method, host) = ("GET".to_owned(), "orders.test".to_owned());
    Http { method, host, path: path.to_owned(), ..Http::default() }
}

fn refund(body: &str) -> Http {
    let headers = [("content-type".to_owned(), "application/json".to_owned())].into();
    Http { method: "POST".to_owned(), headers, body: body.to_owned(), ..read("/refunds") }
}

const ROBOT: &str = "spiffe://shop.test/robot";

#[test]
fn a_request_is_decided_for_whom_the_certificate_names() {
    let server = Server::new(SHOP, &["--ext-authz", "--context", "env=prod"]);
    assert!(asked(&server, &request(ROBOT, read("/orders/7"))).is_permitted());
    let upper = Http { host: "Orders.Test".to_owned(), ..read("/orders/7") };
    assert!(asked(&server, &request(ROBOT, upper)).is_permitted());
    for (who, http) in [
        ("spiffe://other.test/robot", read("/orders/7")),
        (ROBOT, read("/admin")),
        (ROBOT, read("/orders/7/8")),
        (ROBOT, read("/orders/7?admin=1")),
        (ROBOT, Http { host: "admin.test".to_owned(), ..read("/orders/7") }),
        (ROBOT, Http { host: "orders.test:8443".to_owned(), ..read("/orders/7") }),
        (ROBOT, Http { method: "DELETE".to_owned(), ..read("/orders/7") }),
    ] {
        let told = asked(&server, &request(who, http.clone())).denied();
        assert_eq!(told, (403, "not_permitted".to_owned()), "{http:?}");
    }
    let left = server.end();
    assert_eq!(left.code, Some(0), "{}", left.errors);
}

/// attack 7
#[test]
fn another_spelling_of_a_host_is_refused() {
    let server = Server::new(SHOP, &["--ext-authz"]);
    for host in ["orders.test.", "orders.test:", "me@orders.test", ""] {
        let http = Http { host: host.to_owned(), ..read("/orders/7") };
        let told = asked(&server, &request(ROBOT, http)).denied();
        assert_eq!(told, (400, "bad_request".to_owned()), "{host}");
    }
}

/// attack 7
#[test]
fn another_spelling_of_a_permitted_path_is_refused() {
    let server = Server::new(SHOP, &["--ext-authz"]);
    for path in [
        "/orders/..",
        "/orders/%2e%2e",
        "//orders/7",
        "/orders/..;",
        "/orders/%2Fadmin",
        "/orders/\\7",
        "orders/7",
        "",
    ] {
        let told = asked(&server, &request(ROBOT, read(path))).denied();
        assert_eq!(told, (400, "bad_request".to_owned()), "{path}");
    }
}

#[test]
fn who_calls_is_never_read_from_a_header() {
    let server = Server::new(SHOP, &["--ext-authz"]);
    let headers = ["x-forwarded-client-cert", "x-caller", "authorization"]
        .map(|name| (name.to_owned(), format!("URI={ROBOT}")));
    let http = Http { headers: headers.into(), ..read("/orders/7") };
    let told = asked(&server, &request("", http)).denied();
    assert_eq!(told, (401, "none".to_owned()));
    let nothing = Asked { attributes: None };
    assert_eq!(asked(&server, &nothing).denied().0, 401);
    let who_alone = Asked {
        attributes: Some(Attributes {
            source: Some(Source { principal: ROBOT.to_owned() }),
            ..Attributes::default()
        }),
    };
    assert_eq!(asked(&server, &who_alone).denied().0, 400);
}

#[test]
fn a_body_is_decided_about_where_envoy_sends_it_whole() {
    let server = Server::new(SHOP, &["--ext-authz", "--context", "env=prod"]);
    let may = |http: Http| asked(&server, &request(ROBOT, http));
    assert!(may(refund(r#"{"amount": 20}"#)).is_permitted());
    let raw = Http { body: String::new(), raw_body: br#"{"amount": 20}"#.into(), ..refund("") };
    assert!(may(raw).is_permitted());
    let of_type = |of: &str, body: &str| {
        let mut http = refund(body);
        http.headers.insert("content-type".to_owned(), of.to_owned());
        http
    };
    for of in ["application/json; charset=UTF-8", "application/json;charset=\"utf-8\"; a=b"] {
        assert!(may(of_type(of, r#"{"amount": 20}"#)).is_permitted(), "{of}");
    }
    let with = |name: &str, value: &str| {
        let mut http = refund(r#"{"amount": 20}"#);
        http.headers.insert(name.to_owned(), value.to_owned());
        http
    };
    for (what, http, status) in [
        ("too much", refund(r#"{"amount": 51}"#), 403),
        ("no body", refund(""), 403),
        ("another type", with("content-type", "text/plain"), 403),
        ("a name twice", refund(r#"{"amount": 20, "amount": 51}"#), 400),
        ("no JSON", refund("amount=20"), 400),
        ("cut off", with("x-envoy-auth-partial-body", "true"), 400),
        ("encoded", with("content-encoding", "gzip"), 400),
        ("types twice", with("content-type", "application/json,text/plain"), 400),
        // In UTF-7, `+ACI-` is a quote.
        ("UTF-7", of_type("application/json; charset=utf-7", r#"{"amount": 20}"#), 400),
        ("none", of_type("application/json; charset", r#"{"amount": 20}"#), 400),
        ("two", of_type("text/plain; charset=utf-8; charset=ibm037", "a"), 400),
        ("an escape", of_type("text/plain; charset*=us-ascii'en'utf-7", "a"), 400),
        ("two bodies", Http { raw_body: vec![b'{'], ..refund("{}") }, 400),
        ("no UTF-8", Http { body: String::new(), raw_body: vec![0xff], ..refund("") }, 400),
    ] {
        assert_eq!(may(http).denied().0, status, "{what}");
    }
}

#[test]
fn facts_of_a_route_are_what_the_operator_does_not_say_otherwise() {
    let server = Server::new(SHOP, &["--ext-authz"]);
    let mut asking = request(ROBOT, refund(r#"{"amount": 20}"#));
    assert_eq!(asked(&server, &asking).denied().0, 403);
    let extensions = &mut asking.attributes.as_mut().unwrap().extensions;
    extensions.insert("env".to_owned(), "prod".to_owned());
    assert!(asked(&server, &asking).is_permitted());
    drop(server);
    let server = Server::new(SHOP, &["--ext-authz", "--context", "env=test"]);
    assert_eq!(asked(&server, &asking).denied().0, 403);
}

#[test]
fn who_asks_has_to_know_the_secret_and_to_send_one_message() {
    let server = Server::new(SHOP, &["--ext-authz"]);
    let good = request(ROBOT, read("/orders/7")).encode_to_vec();
    let stranger = sent(&server, "another", framed(&good));
    assert_eq!((stranger.http, stranger.told.is_none()), (401, true));
    let mut compressed = framed(&good);
    compressed[0] = 1;
    for bytes in [
        Vec::new(),
        compressed,
        framed(&good)[..good.len()].to_vec(),
        [framed(&good), framed(&good)].concat(),
        framed(b"\x0a\xff"),
    ] {
        let told = sent(&server, SECRET, bytes);
        assert_eq!((told.http, told.grpc.as_deref(), told.told.is_none()), (200, Some("3"), true));
    }
}

#[test]
fn without_the_option_there_is_no_such_method_and_the_kind_is_as_told() {
    let good = framed(&request(ROBOT, read("/orders/7")).encode_to_vec());
    let server = Server::new(SHOP, &[]);
    assert_eq!(sent(&server, SECRET, good).http, 404);
    drop(server);
    let server = Server::new(SHOP, &["--ext-authz=agent"]);
    let told = asked(&server, &request(ROBOT, read("/orders/7"))).denied();
    assert_eq!(told, (403, "not_permitted".to_owned()));
}

#[test]
fn what_is_permitted_is_on_record_as_forwarded_and_nothing_stands() {
    let server = Server::in_folder(Folder::new(), SHOP, &["--ext-authz"]);
    assert!(asked(&server, &request(ROBOT, read("/orders/7"))).is_permitted());
    let left = server.end();
    assert_eq!(outcomes(&records(&left.folder)), ["forwarded"]);
}
