//! The folder that a log is in: the few acts on it that the log needs, so that tests can put a disk in
//! its place that fails, fills, or forgets what was not synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::lock::Lock;

/// A folder.
pub(super) trait Disk: Send + Sync {
    /// The names of the files in it.
    fn names(&self) -> io::Result<Vec<String>>;

    /// A file, from its beginning.
    fn read(&self, name: &str) -> io::Result<Box<dyn BufRead + '_>>;

    /// A file, from one of its bytes on.
    fn read_from(&self, name: &str, start: u64) -> io::Result<Box<dyn BufRead + '_>>;

    /// A file to append to, which is created if it is absent.
    fn append_to(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Puts `bytes` in the place of a file, synced: after a crash there is what was, or what is.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes the creation of files survive the machine.
    fn sync_names(&self) -> io::Result<()>;
}

/// A file that is appended to.
pub(super) trait DiskFile: Send {
    /// Writes all bytes at the end; on an error, any number of the first ones.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to a length.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Makes what was written survive the machine.
    fn sync(&mut self) -> io::Result<()>;
}

/// A folder of the operating system.
pub(super) struct Folder {
    path: PathBuf,
    /// Held as long as this may be written to.
    _lock: Option<Lock>,
}

impl Folder {
    /// To write to, by one writer: created if it is absent. `None` if another has it.
    pub(super) fn to_write(path: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(path)?;
        let lock = Lock::take(&path.join("lock"))?;
        Ok(lock.map(|lock| Folder { path: path.to_owned(), _lock: Some(lock) }))
    }

    /// To read, while another may be writing.
    pub(super) fn to_read(path: &Path) -> Self {
        Folder { path: path.to_owned(), _lock: None }
    }
}

impl Disk for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // A name that is not text is not one of the log's.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn BufRead + '_>> {
        Ok(Box::new(BufReader::with_capacity(1 << 16, File::open(self.path.join(name))?)))
    }

    fn read_from(&self, name: &str, start: u64) -> io::Result<Box<dyn BufRead + '_>> {
        let mut file = File::open(self.path.join(name))?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Box::new(BufReader::new(file)))
    }

    fn append_to(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().append(true).create(true).open(self.path.join(name))?;
        Ok(Box::new(file))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let next = self.path.join(format!("{name}.next"));
        let mut file = File::create(&next)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&next, self.path.join(name))?;
        self.sync_names()
    }

    fn sync_names(&self) -> io::Result<()> {
        // Elsewhere a folder can't be opened, and the file system keeps its own journal of names.
        if cfg!(unix) { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
