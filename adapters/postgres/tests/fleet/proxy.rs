//! What stands between a node and its server, and can hold back what either says.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use tokio_postgres::Config;

/// Passes bytes on, on connections of its own.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What the server says is held back.
    holds_answers: bool,
    /// How many bytes of it are.
    held: usize,
    connections: Vec<TcpStream>,
}

impl Proxy {
    pub(crate) fn before(port: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy { port: listener.local_addr().unwrap().port(), shared: Arc::default() };
        let shared = proxy.shared.clone();
        thread::spawn(move || {
            for node in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let both = [node.try_clone().unwrap(), server.try_clone().unwrap()];
                shared.state.lock().unwrap().connections.extend(both);
                let (from, to) = (node.try_clone().unwrap(), server.try_clone().unwrap());
                let quiet = Arc::new(Shared::default());
                thread::spawn(move || pass(from, to, &quiet));
                let shared = shared.clone();
                thread::spawn(move || pass(server, node, &shared));
            }
        });
        proxy
    }

    /// The same server, by way of this.
    pub(crate) fn to(&self, config: &Config) -> Config {
        let mut by_way = Config::new();
        by_way.host("127.0.0.1").port(self.port).user(config.get_user().unwrap());
        by_way.password(config.get_password().unwrap()).dbname(config.get_dbname().unwrap());
        by_way
    }

    /// From now on the server is heard and does not get through.
    pub(crate) fn hold_answers(&self) {
        let mut state = self.shared.state.lock().unwrap();
        (state.holds_answers, state.held) = (true, 0);
    }

    /// Waits until an answer is held back.
    pub(crate) fn wait_until_held(&self) {
        let mut state = self.shared.state.lock().unwrap();
        while state.held == 0 {
            state = self.shared.changed.wait(state).unwrap();
        }
    }

    /// Ends all connections, and what was held back with them; new ones pass.
    pub(crate) fn cut(&self) {
        let mut state = self.shared.state.lock().unwrap();
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        state.holds_answers = false;
        self.shared.changed.notify_all();
    }

    /// Lets through what was held back.
    pub(crate) fn let_go(&self) {
        self.shared.state.lock().unwrap().holds_answers = false;
        self.shared.changed.notify_all();
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let mut state = shared.state.lock().unwrap();
        while state.holds_answers {
            state.held += read;
            shared.changed.notify_all();
            state = shared.changed.wait(state).unwrap();
        }
        drop(state);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
