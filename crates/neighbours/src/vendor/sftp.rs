//! SFTP version 3 over a folder that cannot be left.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use russh::{Disconnect, server::Handle as Connection};
use russh_sftp::{
    protocol::{
        Attrs, Data, File as Named, FileAttributes, Handle, Name, OpenFlags, Packet, Status,
        StatusCode, Version,
    },
    server::Handler,
};

use crate::faults::{Fault, Faults};

/// Open files and folders of one session.
const HANDLES: usize = 64;
/// The longest read, and the largest file, in bytes.
const LIMITS: (u32, u64) = (128 << 10, 1 << 30);
/// Names in one answer.
const NAMES: usize = 100;
/// The extension by which a customer asks for a file to be put on the disk.
const FSYNC: &str = "fsync@openssh.com";

/// One session at the account.
pub(super) struct Account {
    root: PathBuf,
    faults: Arc<Faults>,
    connection: Connection,
    open: HashMap<String, Open>,
    next: u64,
}

enum Open {
    File(File),
    Folder(Vec<Named>),
}

type Answer<T> = Result<T, StatusCode>;

impl Account {
    pub fn new(root: PathBuf, faults: Arc<Faults>, connection: Connection) -> Self {
        Self {
            root,
            faults,
            connection,
            open: HashMap::new(),
            next: 0,
        }
    }

    fn place(&self, path: &str) -> Answer<PathBuf> {
        place(&self.root, path)
    }

    fn keep(&mut self, id: u32, open: Open) -> Answer<Handle> {
        if self.open.len() >= HANDLES {
            return Err(StatusCode::Failure);
        }
        self.next += 1;
        let handle = self.next.to_string();
        self.open.insert(handle.clone(), open);
        Ok(Handle { id, handle })
    }

    fn file(&self, handle: &str) -> Answer<&File> {
        match self.open.get(handle) {
            Some(Open::File(file)) => Ok(file),
            _ => Err(StatusCode::Failure),
        }
    }

    /// Ends the connection; what is answered afterwards reaches nobody.
    async fn hang_up(&self) -> StatusCode {
        let reason = "the line is bad".to_owned();
        // It may be gone already.
        let _ = self
            .connection
            .disconnect(Disconnect::ByApplication, reason, String::new())
            .await;
        StatusCode::ConnectionLost
    }
}

/// The place of `path` under the root. Links are not followed, wherever they lead.
fn place(root: &Path, path: &str) -> Answer<PathBuf> {
    let mut place = root.to_owned();
    for part in parts(path) {
        place.push(part);
        if fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink()) {
            return Err(StatusCode::PermissionDenied);
        }
    }
    Ok(place)
}

/// The parts of a path as seen from the root, which has no parent.
fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

fn said(error: &io::Error) -> StatusCode {
    match error.kind() {
        io::ErrorKind::NotFound => StatusCode::NoSuchFile,
        io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}

fn ok(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Ok".to_owned(),
        language_tag: "en".to_owned(),
    }
}

fn done(id: u32, result: io::Result<()>) -> Answer<Status> {
    result.map(|()| ok(id)).map_err(|error| said(&error))
}

/// Gives a file another name and overwrites nothing, as OpenSSH does it.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

impl Handler for Account {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Answer<Version> {
        let mut version = Version::new();
        version.extensions.insert(FSYNC.to_owned(), "1".to_owned());
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Answer<Handle> {
        let place = self.place(&filename)?;
        let mut options = OpenOptions::from(flags);
        // O_NOFOLLOW: the last part must not be a link either.
        let file = options
            .custom_flags(0o400_000)
            .open(place)
            .map_err(|error| said(&error))?;
        if file.metadata().map_err(|error| said(&error))?.is_dir() {
            return Err(StatusCode::Failure);
        }
        self.keep(id, Open::File(file))
    }

    async fn close(&mut self, id: u32, handle: String) -> Answer<Status> {
        self.open
            .remove(&handle)
            .map(|_| ok(id))
            .ok_or(StatusCode::Failure)
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Answer<Data> {
        let mut data = vec![0; len.min(LIMITS.0) as usize];
        let read = self
            .file(&handle)?
            .read_at(&mut data, offset)
            .map_err(|error| said(&error))?;
        if read == 0 {
            return Err(StatusCode::Eof);
        }
        data.truncate(read);
        Ok(Data { id, data })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Answer<Status> {
        if offset.saturating_add(data.len() as u64) > LIMITS.1 {
            return Err(StatusCode::Failure);
        }
        done(id, self.file(&handle)?.write_all_at(&data, offset))
    }

    async fn stat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        let found = fs::symlink_metadata(self.place(&path)?).map_err(|error| said(&error))?;
        Ok(Attrs {
            id,
            attrs: (&found).into(),
        })
    }

    async fn lstat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        self.stat(id, path).await
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Answer<Attrs> {
        let found = self
            .file(&handle)?
            .metadata()
            .map_err(|error| said(&error))?;
        Ok(Attrs {
            id,
            attrs: (&found).into(),
        })
    }

    async fn setstat(&mut self, id: u32, _: String, _: FileAttributes) -> Answer<Status> {
        Ok(ok(id))
    }

    async fn fsetstat(&mut self, id: u32, _: String, _: FileAttributes) -> Answer<Status> {
        Ok(ok(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Answer<Handle> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.place(&path)?).map_err(|error| said(&error))? {
            let Ok(entry) = entry else { continue };
            // A file may be renamed while we look.
            if let (Ok(name), Ok(found)) = (entry.file_name().into_string(), entry.metadata()) {
                names.push(Named::new(name, FileAttributes::from(&found)));
            }
        }
        self.keep(id, Open::Folder(names))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Answer<Name> {
        match self.open.get_mut(&handle) {
            Some(Open::Folder(names)) if !names.is_empty() => {
                let files = names.split_off(names.len().saturating_sub(NAMES));
                Ok(Name { id, files })
            }
            Some(Open::Folder(_)) => Err(StatusCode::Eof),
            _ => Err(StatusCode::Failure),
        }
    }

    async fn remove(&mut self, id: u32, filename: String) -> Answer<Status> {
        done(id, fs::remove_file(self.place(&filename)?))
    }

    async fn mkdir(&mut self, id: u32, path: String, _: FileAttributes) -> Answer<Status> {
        done(id, fs::create_dir(self.place(&path)?))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Answer<Name> {
        let path = format!("/{}", parts(&path).join("/"));
        Ok(Name {
            id,
            files: vec![Named::dummy(path)],
        })
    }

    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Answer<Status> {
        let (from, to) = (self.place(&oldpath)?, self.place(&newpath)?);
        let hands_in = oldpath.ends_with(".zip.part") && newpath.ends_with(".zip");
        match hands_in.then(|| self.faults.take()).flatten() {
            None => done(id, rename(&from, &to)),
            Some(Fault::LoseAnswer) => {
                done(id, rename(&from, &to))?;
                Err(self.hang_up().await)
            }
            Some(Fault::DropRequest) => Err(self.hang_up().await),
            Some(Fault::Technical) => Err(StatusCode::Failure),
            Some(Fault::Logical) => Err(StatusCode::PermissionDenied),
            Some(Fault::Garbage) => Err(StatusCode::BadMessage),
            Some(Fault::WrongAnswer) => {
                done(id, rename(&from, &to))?;
                Err(StatusCode::Failure)
            }
        }
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Answer<Packet> {
        if request != FSYNC {
            return Err(StatusCode::OpUnsupported);
        }
        // The handle follows its length.
        let handle = data
            .get(4..)
            .and_then(|handle| std::str::from_utf8(handle).ok());
        let file = self.file(handle.ok_or(StatusCode::BadMessage)?)?;
        done(id, file.sync_all()).map(Packet::Status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_cannot_be_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("account");
        fs::create_dir_all(root.join("in")).expect("makes");
        let check = |path: &str, expect: &str| {
            assert_eq!(place(&root, path), Ok(root.join(expect)), "{path}");
        };
        check("in/a.zip", "in/a.zip");
        check("/in/./a.zip", "in/a.zip");
        check("../../etc/passwd", "etc/passwd");
        check("in/../../house/tape.jsonl", "house/tape.jsonl");
        check("/", "");
        std::os::unix::fs::symlink(folder.path(), root.join("in/out")).expect("links");
        assert_eq!(place(&root, "in/out"), Err(StatusCode::PermissionDenied));
        assert_eq!(place(&root, "in/out/x"), Err(StatusCode::PermissionDenied));
    }
}
