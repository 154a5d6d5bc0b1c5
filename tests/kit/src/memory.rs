//! What the memory of this process holds, on Linux, by `/proc/self/mem`.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// How much is read at once.
const PART: usize = 1 << 20;

/// What is computed where it is needed, byte by byte: no copy of it stands in a test, to be found.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    /// Tells it from others.
    pub seed: usize,
    /// How many bytes it has.
    pub length: usize,
}

impl Computed {
    /// A byte of it: a visible character of ASCII that means nothing in a form, a header or JSON.
    #[inline(never)]
    pub fn byte(self, at: usize) -> u8 {
        b'A' + ((at * at + self.seed * 7 + at / 26) % 26) as u8
    }

    /// Writes all of it to where there is room for it.
    pub fn write(self, into: &mut Vec<u8>) {
        assert!(into.capacity() - into.len() >= self.length, "it is written once");
        (0..self.length).for_each(|at| into.push(self.byte(at)));
    }

    /// Whether a part of it stands anywhere that this process may write to: its second half is looked for, since an allocator
    /// writes to the beginning of what it is given back.
    pub fn is_in_memory(self) -> bool {
        let memory = File::open("/proc/self/mem").unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut read = vec![0; PART];
        maps.lines().filter(|line| line.contains(" rw")).any(|line| {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            let end = address(end);
            // What lies across the border of two parts is read twice.
            (address(start)..end).step_by(PART - self.length).any(|at| {
                let length = usize::try_from(end - at).unwrap().min(PART);
                // Where a thread has given its memory back meanwhile, there is nothing.
                let got = memory.read_at(&mut read[..length], at).unwrap_or(0);
                self.is_in(&read[..got])
            })
        })
    }

    fn is_in(self, text: &[u8]) -> bool {
        let (half, first) = (self.length / 2, self.byte(self.length / 2));
        text.windows(self.length - half)
            .any(|own| own[0] == first && (1..own.len()).all(|at| own[at] == self.byte(half + at)))
    }
}
