//! On Linux, by `/proc/self/mem`.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use serde_json::json;

const LENGTH: usize = 39;

/// A byte of a secret, computed each time: none of it stands in the program, and the test keeps no copy to find.
#[inline(never)]
fn byte(secret: u8, at: usize) -> u8 {
    b'!' + (secret.wrapping_mul(37).wrapping_add((at as u8).wrapping_mul(53))) % 90
}

/// Written where it stays, all room at once.
fn secret(secret: u8) -> Secret {
    let mut bytes = Vec::with_capacity(LENGTH);
    (0..LENGTH).for_each(|at| bytes.push(byte(secret, at)));
    Secret::new(bytes).unwrap()
}

const DIGITS: [&[u8; 16]; 2] = [b"0123456789abcdef", b"0123456789ABCDEF"];
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A form in which secrets are looked for: plain, hexadecimal, and base64 at each offset.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Hex(&'static [u8; 16]),
    Base64(&'static [u8; 64], usize),
}

impl Form {
    /// A byte of it, counted from what the secret alone decides.
    fn byte(self, secret: u8, at: usize) -> u8 {
        match self {
            Form::Plain => byte(secret, at),
            Form::Hex(digits) => {
                let whole = byte(secret, at / 2);
                digits[usize::from(if at.is_multiple_of(2) { whole >> 4 } else { whole & 15 })]
            }
            Form::Base64(alphabet, offset) => {
                let first = (offset * 8).div_ceil(6) * 6 - offset * 8 + at * 6;
                let pair = u16::from(byte(secret, first / 8)) << 8
                    | u16::from(byte(secret, first / 8 + 1));
                alphabet[usize::from(pair >> (10 - first % 8) & 63)]
            }
        }
    }
}

/// So many bytes of one form are not there by chance.
const SEEN: usize = 16;

/// Reads this process's memory.
struct Memory {
    of: File,
    buffer: Box<[u8; 1 << 16]>,
}

impl Memory {
    fn open() -> Memory {
        Memory { of: File::open("/proc/self/mem").unwrap(), buffer: Box::new([0; 1 << 16]) }
    }

    /// All that can be written to, the stack among it.
    fn regions() -> Vec<Range<u64>> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let region = |line: &str| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            rest.starts_with("rw").then(|| address(start)..address(end))
        };
        maps.lines().filter_map(region).collect()
    }

    /// Where a part of one of the secrets stands, in any form.
    fn holds(&mut self, secrets: &[u8]) -> Vec<u64> {
        let mut forms = vec![Form::Plain];
        forms.extend(DIGITS.map(Form::Hex));
        forms.extend((0..3).flat_map(|at| [Form::Base64(STANDARD, at), Form::Base64(URL, at)]));
        let own = self.buffer.as_ptr() as u64;
        let own = own..own + self.buffer.len() as u64;
        let mut found = Vec::new();
        for region in Memory::regions() {
            let mut at = region.start;
            while at < region.end {
                if own.contains(&at) {
                    at = own.end;
                    continue;
                }
                let past = if at < own.start { region.end.min(own.start) } else { region.end };
                let length = usize::try_from(past - at).unwrap().min(self.buffer.len());
                self.of.read_exact_at(&mut self.buffer[..length], at).unwrap();
                for secret in secrets {
                    for form in &forms {
                        let first = form.byte(*secret, 0);
                        let text = &self.buffer[..length];
                        let starts =
                            (0..length.saturating_sub(SEEN - 1)).filter(|at| text[*at] == first);
                        let whole = |at: &usize| {
                            (1..SEEN).all(|within| text[at + within] == form.byte(*secret, within))
                        };
                        found.extend(starts.filter(whole).map(|start| at + start as u64));
                    }
                }
                // What lies across the border is read again.
                at = if at + length as u64 == past { past } else { at + (length - SEEN) as u64 };
            }
        }
        found
    }
}

/// P8, attack 126, attack 129
#[test]
fn no_memory_of_the_process_holds_a_secret_but_while_a_call_runs_with_it() {
    let mut memory = Memory::open();
    let held = secret(7);
    assert!(!memory.holds(&[7]).is_empty(), "what is there is found");
    drop(held);
    assert!(memory.holds(&[7]).is_empty(), "what is dropped is wiped");

    let policy = r#"
        version = 1
        tool = [{ name = "t", credential = "key" }]
        rule = [{ id = "p", effect = "permit", what = { tool = "t", args = "any" } }]
    "#;
    let vault = Vault::new().unwrap();
    vault.seal("key", secret(7)).unwrap();
    let broker = Broker::builder(Policy::from_toml(policy).unwrap()).vault(&vault).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("test")).unwrap();
    let now = Context::new();
    let grant = task.request(Scope::tool("t").any_args(), &now).unwrap();
    assert!(memory.holds(&[7]).is_empty(), "what is in the vault is sealed");

    for round in 0..3 {
        let call = Call::new("t", json!({})).unwrap();
        let permit = broker.gate().authorize(&grant, &agent, call, &now).unwrap();
        let receipt = permit.run_with(|running, secrets| {
            let lent = secrets.get("key").unwrap().expose();
            assert!(!memory.holds(&[7, 8]).is_empty(), "a call runs with it");
            // What comes back with it, and in pieces; all room at once.
            let mut echoed = Vec::with_capacity(LENGTH + 8);
            echoed.extend_from_slice(b"it was ");
            echoed.extend_from_slice(lent);
            let mut stream = running.scrub_stream();
            let mut shown = stream.push(&echoed[..20]);
            shown.extend(stream.push(&echoed[20..]));
            shown.extend(stream.finish());
            assert_eq!(shown, b"it was [redacted]");
            vault.seal("key", secret(8)).unwrap();
            Ok::<_, ()>(echoed)
        });
        assert_eq!(receipt.unwrap().scrubbed(), b"it was [redacted]");
        // The tool's argument, what it gave, and all by which that was searched.
        assert!(memory.holds(&[7, 8]).is_empty(), "round {round}");
    }
    task.complete();
    drop((grant, broker, vault));
    assert!(memory.holds(&[7, 8]).is_empty());
}
