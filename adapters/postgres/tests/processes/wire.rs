//! Messages between the nodes, which are lost, late and doubled.

use std::sync::{Arc, Mutex};
use std::thread::sleep;

use hallpass::fleet::{Transport, TransportError};
use hallpass_fleet_http::HttpTransport;

use crate::dice::Dice;

#[derive(Clone)]
pub(crate) struct Wire {
    transport: HttpTransport,
    dice: Arc<Mutex<Dice>>,
}

impl Wire {
    pub(crate) fn new(transport: HttpTransport, seed: u64) -> Wire {
        Wire { transport, dice: Arc::new(Mutex::new(Dice::of(seed))) }
    }

    fn chance(&self) -> (usize, std::time::Duration) {
        let mut dice = self.dice.lock().unwrap();
        (dice.below(100), dice.milliseconds(1, 200))
    }
}

impl Transport for Wire {
    fn send(&self, node: &str, address: &str, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        let (chance, late) = self.chance();
        let send = || Transport::send(&self.transport, node, address, message);
        match chance {
            0..10 => Err(TransportError::new("lost on its way there")),
            10..20 => {
                let _ = send();
                Err(TransportError::new("lost on its way back"))
            }
            20..30 => {
                let first = send();
                let _ = send();
                first
            }
            30..40 => {
                sleep(late);
                send()
            }
            40..50 => {
                let answer = send();
                sleep(late);
                answer
            }
            _ => send(),
        }
    }
}
