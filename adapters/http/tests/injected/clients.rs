//! Clients as they come, unmodified, in processes of their own. They have to be installed.

use std::process::Command;

use crate::world::*;

fn ran(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{told} {}", String::from_utf8_lossy(&done.stderr));
    told
}

/// attacks 173, 174
#[test]
#[ignore = "needs curl"]
fn curl_fetches_by_path_and_by_proxy_and_follows_redirects_without_the_secret() {
    let world = World::new();
    let elsewhere = crate::server::Server::start();
    let curl = ["--silent", "--show-error", "--fail", "--location", "--noproxy", "127.0.0.2"];
    let told = world.run("orders.fetch", |endpoint| {
        let url = endpoint.url("orders-api").unwrap();
        let mut told = String::new();
        // By path, past the proxy of its environment.
        let by_path = ["--noproxy", "*", &format!("{url}/v1/echo")];
        told += &ran(endpoint.command("curl").args(&curl[..4]).args(by_path));
        told += &ran(endpoint
            .command("curl")
            .args(curl)
            .arg(format!("{}/v1/echo", world.orders.origin())));
        let within = format!("{url}/v1/to?/v1/echo");
        told += &ran(endpoint.command("curl").args(&curl[..4]).args(["--noproxy", "*", &within]));
        let away = format!("{url}/v1/to?{}/v1/echo", elsewhere.origin());
        told += &ran(endpoint.command("curl").args(&curl[..4]).args(["--noproxy", "*", &away]));
        // A tunnel is refused.
        let tunnel =
            endpoint.command("curl").args(curl).arg("https://api.acme.test/").output().unwrap();
        assert!(!tunnel.status.success());
        told
    });
    assert!(!told.contains(TOKEN) && told.matches("Bearer [redacted]").count() == 3, "{told}");
    assert_eq!(world.orders.seen().len(), 5);
    assert!(world.orders.seen().iter().all(|seen| seen.text().contains(TOKEN)));
    assert!(!elsewhere.seen()[0].text().contains(TOKEN));
}

/// attack 173
#[test]
#[ignore = "needs python3"]
fn python_fetches_by_path_and_by_proxy() {
    let world = World::new();
    let script = "import sys, urllib.request\n\
                  for url in sys.argv[1:]: print(urllib.request.urlopen(url, timeout=20).read().decode())";
    let told = world.run("orders.fetch", |endpoint| {
        let mut python = endpoint.command("python3");
        let mut direct = endpoint.command("python3");
        let url = endpoint.url("orders-api").unwrap();
        let by_path =
            direct.args(["-c", script, &format!("{url}/v1/echo")]).env("no_proxy", "127.0.0.1");
        let told = ran(by_path);
        told + &ran(python.args(["-c", script, &format!("{}/v1/echo", world.orders.origin())]))
    });
    assert!(!told.contains(TOKEN) && told.matches("Bearer [redacted]").count() == 2, "{told}");
    assert_eq!(world.orders.seen().len(), 2);
}
