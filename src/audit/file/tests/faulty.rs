//! A disk that fails on cue and forgets what was not synced.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::sync::Arc;

use crate::audit::file::disk::{Disk, DiskFile};
use crate::sync::Mutex;

#[derive(Clone, Default)]
pub(super) struct FaultyDisk(Arc<Mutex<Content>>);

#[derive(Clone, Default)]
struct Content {
    files: BTreeMap<String, Bytes>,
    /// What the folder says after the machine has failed.
    synced: BTreeMap<String, Bytes>,
    acts: u64,
    fault: Option<(u64, Fault)>,
}

/// A file: its bytes live apart from its name, as those of a file that is open do.
type Bytes = Arc<Mutex<(Vec<u8>, Vec<u8>)>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The act is refused, and nothing of it was done.
    Fails,
    /// Half of what was to be written is.
    Half,
    /// All of it is, and the act panics.
    Panics,
}

impl FaultyDisk {
    /// Has the act after `acts` more go wrong, once.
    pub(super) fn fail_after(&self, acts: u64, fault: Fault) {
        let mut content = self.0.lock();
        content.fault = Some((content.acts + acts, fault));
    }

    /// Whether the fault is still to come.
    pub(super) fn is_waiting(&self) -> bool {
        self.0.lock().fault.is_some()
    }

    /// How many acts there were.
    pub(super) fn acts(&self) -> u64 {
        self.0.lock().acts
    }

    /// The disk as it is found after the machine has failed.
    pub(super) fn after_power_failure(&self) -> Self {
        let content = self.0.lock();
        let kept = content.synced.iter().map(|(name, bytes)| {
            let kept = bytes.lock().1.clone();
            (name.clone(), Arc::new(Mutex::new((kept.clone(), kept))))
        });
        let files: BTreeMap<_, _> = kept.collect();
        FaultyDisk(Arc::new(Mutex::new(Content {
            synced: files.clone(),
            files,
            ..Content::default()
        })))
    }

    /// The disk as it is found after the process was killed.
    pub(super) fn after_kill(&self) -> Self {
        let content = self.0.lock();
        let copy = |(name, bytes): (&String, &Bytes)| {
            (name.clone(), Arc::new(Mutex::new(bytes.lock().clone())))
        };
        let files: BTreeMap<_, _> = content.files.iter().map(copy).collect();
        FaultyDisk(Arc::new(Mutex::new(Content {
            synced: files.clone(),
            files,
            ..Content::default()
        })))
    }

    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        self.0.lock().files[name].lock().0.clone()
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let both = (bytes.to_vec(), bytes.to_vec());
        self.0.lock().files.insert(name.to_owned(), Arc::new(Mutex::new(both)));
    }

    pub(super) fn remove(&self, name: &str) {
        self.0.lock().files.remove(name).unwrap();
    }

    /// Counts an act; what is to go wrong with it.
    fn act(&self) -> Option<Fault> {
        let mut content = self.0.lock();
        content.acts += 1;
        let (at, fault) = content.fault?;
        if content.acts <= at {
            return None;
        }
        content.fault = None;
        Some(fault)
    }

    fn act_whole(&self) -> io::Result<()> {
        match self.act() {
            None => Ok(()),
            Some(Fault::Panics) => panic!("the disk panicked on cue"),
            Some(_) => Err(io::Error::other("the disk failed on cue")),
        }
    }
}

impl Disk for FaultyDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn BufRead + '_>> {
        Ok(Box::new(io::Cursor::new(self.bytes(name))))
    }

    fn read_from(&self, name: &str, start: u64) -> io::Result<Box<dyn BufRead + '_>> {
        let mut cursor = io::Cursor::new(self.bytes(name));
        cursor.set_position(start);
        Ok(Box::new(cursor))
    }

    fn append_to(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.act_whole()?;
        let bytes = self.0.lock().files.entry(name.to_owned()).or_default().clone();
        Ok(Box::new(Open { disk: self.clone(), bytes }))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.act_whole()?;
        self.put(name, bytes);
        self.sync_names()
    }

    fn sync_names(&self) -> io::Result<()> {
        self.act_whole()?;
        let mut content = self.0.lock();
        content.synced = content.files.clone();
        Ok(())
    }
}

struct Open {
    disk: FaultyDisk,
    bytes: Bytes,
}

impl DiskFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fault = self.disk.act();
        let written = match fault {
            None | Some(Fault::Panics) => bytes,
            Some(Fault::Half) => &bytes[..bytes.len() / 2],
            Some(Fault::Fails) => &[],
        };
        self.bytes.lock().0.extend_from_slice(written);
        match fault {
            None => Ok(()),
            Some(Fault::Panics) => panic!("the disk panicked on cue"),
            Some(_) => Err(io::Error::new(io::ErrorKind::StorageFull, "no space on the disk")),
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.act_whole()?;
        self.bytes.lock().0.truncate(length as usize);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.act_whole()?;
        let mut bytes = self.bytes.lock();
        bytes.1 = bytes.0.clone();
        Ok(())
    }
}
