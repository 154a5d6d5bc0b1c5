//! Who may use the endpoint of a call: its tool, and nothing else on the machine.

use std::net::TcpStream;
use std::process::Command;

use hallpass_http::LeaseError;

use crate::world::*;

/// attack 173
#[test]
fn a_child_process_has_the_secret_neither_in_its_environment_nor_in_its_arguments() {
    let world = World::new();
    let told = world.run("orders.fetch", |endpoint| {
        let mut child = endpoint.command("env");
        child.env("ORDERS_URL", endpoint.url("orders-api").unwrap());
        let told = child.output().unwrap();
        let key = endpoint.url("orders-api").unwrap();
        let key = parts(&key).1.split('/').nth(1).unwrap();
        assert!(!format!("{endpoint:?}").contains(key), "{endpoint:?}");
        format!("{child:?} {endpoint:?}\n{}", String::from_utf8_lossy(&told.stdout))
    });
    assert!(told.contains("\nORDERS_URL=http://127.0.0.1:"), "{told}");
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        assert!(told.contains(&format!("\n{name}=http://hallpass:")), "{name}: {told}");
    }
    assert!(told.contains("\nPATH="), "what it starts is found: {told}");
    // Cargo has set it for this process; what else stands there may be a secret of the host's.
    assert!(
        std::env::var_os("CARGO_MANIFEST_DIR").is_some() && !told.contains("CARGO_MANIFEST_DIR")
    );
    for form in [TOKEN.to_owned(), base64_of(TOKEN), hex_of(TOKEN)] {
        assert!(!told.contains(&form), "{told}");
    }
    // A process that inherits all that this one has gets no more.
    let inherited = world.run("orders.fetch", |_| Command::new("env").output().unwrap().stdout);
    assert!(!String::from_utf8_lossy(&inherited).contains(TOKEN));
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// attack 173
#[test]
fn a_neighbour_without_the_key_of_the_running_call_is_refused_and_told_nothing() {
    let world = World::new();
    let open = world.run("both", |endpoint| {
        // While this call runs, another call's key is of no use here, nor is this one's there.
        let (mine, origin) = (endpoint.url("orders-api").unwrap(), world.orders.origin());
        let (at, path) = parts(&mine);
        let over = world.run("orders.fetch", |own| {
            let (there, theirs) = (own.url("orders-api").unwrap(), own.proxy());
            assert_eq!(get(&format!("http://{}{path}", parts(&there).0), "/v1/a", "").status, 404);
            let other = format!("http://{at}{}", parts(&there).1);
            assert_eq!(get(&other, "/v1/a", "").status, 404);
            let elsewhere = theirs.split_once('@').unwrap().1;
            let crossed = format!("http://hallpass:x@{elsewhere}");
            let header = password(&endpoint.proxy());
            assert_eq!(through(&crossed, &format!("{origin}/v1/a"), &header).status, 407);
            kept_open(parts(&there).0)
        });
        assert_eq!(until_closed(over), "");
        let key = path.split('/').nth(1).unwrap();
        assert_eq!(key.len(), 64);
        for path in [
            "/".to_owned(),
            "/v1/a".to_owned(),
            "//v1/a".to_owned(),
            "/0/v1/a".to_owned(),
            format!("/{}/0/v1/a", "0".repeat(64)),
            format!("/{}/0/v1/a", &key[..63]),
            format!("/{key}0/0/v1/a"),
            format!("/{}/0/v1/a", key.to_uppercase()),
            format!("/%{:02x}{}/0/v1/a", key.as_bytes()[0], &key[1..]),
            format!("/x/{key}/0/v1/a"),
            format!("/{key}/2/v1/a"),
            format!("/{key}/-1/v1/a"),
            format!("/{key}/"),
            format!("/{key}"),
        ] {
            let answer = get(&format!("http://{at}/"), &path[1..], "");
            assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
            assert_eq!(answer.body, "", "{path}");
        }
        let proxy = endpoint.proxy();
        for header in [
            "",
            "proxy-authorization: Basic\r\n",
            "proxy-authorization: Basic eDp5\r\n",
            &password(&proxy).repeat(2),
        ] {
            let answer = through(&proxy, &format!("{origin}/v1/a"), header);
            assert_eq!((answer.status, &*answer.body), (407, ""), "{header}");
            let asked = answer.header("proxy-authenticate");
            assert_eq!(asked, Some("Basic realm=\"hallpass\""), "clients answer what asks");
        }
        // As a browser would be led here by a page, with a name of its own.
        let answer =
            http(at, "GET /v1/a HTTP/1.1\r\nhost: api.acme.test\r\nconnection: close\r\n\r\n");
        assert_eq!((answer.status, answer.header("proxy-authenticate")), (404, None));
        // It is on the loopback's one address, and on no network.
        assert!(TcpStream::connect(("127.0.0.2", at.port())).is_err());
        kept_open(at)
    });
    // The calls are over, and so are their connections.
    assert_eq!(until_closed(open), "");
    assert!(world.orders.seen().is_empty() && world.crm.seen().is_empty());
}

/// attack 173
#[test]
fn two_calls_of_one_grant_have_different_keys_and_ports() {
    let world = World::new();
    let (_task, grant) = world.open();
    let run = || {
        let receipt = world.permit(&grant, "orders.fetch").run_with(|running, secrets| {
            let lease = world.injector.lend(running, secrets).allow("GET", "/");
            lease.serve(|endpoint| endpoint.url("orders-api").unwrap())
        });
        receipt.unwrap().raw()
    };
    let (first, second) = (run(), run());
    assert_ne!(parts(&first).1, parts(&second).1);
}

#[test]
fn what_could_not_carry_the_secret_or_allow_a_request_is_not_served() {
    let world = World::new();
    let (_task, grant) = world.open();
    let failed = |tool: &str, allowed: &[(&str, &str)]| {
        let receipt = world.permit(&grant, tool).run_with(|running, secrets| {
            let lease = world.injector.lend(running, secrets);
            let lease =
                allowed.iter().fold(lease, |lease, (method, path)| lease.allow(method, path));
            Ok::<_, ()>(lease.serve(|_| panic!("served")).unwrap_err())
        });
        receipt.unwrap().raw()
    };
    assert!(matches!(failed("orders.fetch", &[]), LeaseError::NothingAllowed));
    for (method, path) in [
        ("GET", ""),
        ("GET", "v1"),
        ("GET", "/v1/../x"),
        ("", "/v1"),
        ("GE T", "/v1"),
        ("GET", "/*\n"),
    ] {
        assert!(
            matches!(failed("orders.fetch", &[(method, path)]), LeaseError::NotAPath(_)),
            "{method} {path}"
        );
    }
    assert!(matches!(failed("other", &[("GET", "/")]), LeaseError::NoSecret));
    let split = "a-secret\r\nx-admin: true";
    world.vault.seal("orders-api", hallpass::vault::Secret::new(split).unwrap()).unwrap();
    let error = failed("orders.fetch", &[("GET", "/")]);
    assert!(matches!(&error, LeaseError::NotAHeader(name) if &**name == "orders-api"), "{error}");
    assert!(!format!("{error:?} {error}").contains("a-secret"));
}
