//! Files that this command writes: whole or not at all, for their owner's eyes, and never over anything by accident.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::util::Printable;

use super::exit::Failure;

const BUFFER: usize = 1 << 16;

/// A file that gets its name when it is complete. Until then it has none where the system allows that, so that nothing is left
/// of it however the command ends; elsewhere it has a temporary one in the same folder.
#[derive(Debug)]
pub(super) struct OutputFile {
    to: BufWriter<Temporary>,
    path: PathBuf,
    replace: bool,
}

#[derive(Debug)]
enum Temporary {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Named(NamedTempFile),
}

impl OutputFile {
    /// Begins the file `path`; `inputs` are what is read at the same time.
    ///
    /// # Errors
    ///
    /// When it exists and is not to be replaced (`force`), is no ordinary file or one of the inputs, or cannot be made.
    pub(super) fn create(path: &Path, force: bool, inputs: &[&Path]) -> Result<Self, Failure> {
        let name = name(path);
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::new(format!("cannot write {name}")).cause(error)),
            Ok(there) => {
                let same = |input: &&Path| {
                    fs::metadata(input).is_ok_and(|one| (one.dev(), one.ino()) == (there.dev(), there.ino()))
                };
                if there.is_symlink() {
                    return Err(Failure::new(format!("{name} is a link, and links are not followed"))
                        .hint("give the name of the file itself, or another"));
                }
                if !there.is_file() {
                    return Err(Failure::new(format!("{name} is no ordinary file")));
                }
                if inputs.iter().any(same) {
                    return Err(
                        Failure::new(format!("{name} is an input of this command")).hint("give another name")
                    );
                }
                if !force {
                    return Err(Failure::new(format!("{name} exists"))
                        .hint("give another name, or --force to replace it"));
                }
            }
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let temporary = Temporary::create(folder)
            .map_err(|error| Failure::new(format!("cannot write {name}")).cause(error))?;
        let to = BufWriter::with_capacity(BUFFER, temporary);
        Ok(Self { to, path: path.to_owned(), replace: force })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// When the rest cannot be written, or something has got the name meanwhile.
    pub(super) fn commit(self) -> Result<(), Failure> {
        let Self { to, path, replace } = self;
        let named = to
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|temporary| temporary.commit(&path, replace));
        named.map_err(|error| cannot_write(&path, error))
    }
}

impl Write for OutputFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.to.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The failure to write a file.
pub(super) fn cannot_write(path: &Path, error: io::Error) -> Failure {
    Failure::new(format!("cannot write {}; nothing is left of it", name(path))).cause(error)
}

/// The name of a file, fit for a message.
pub(super) fn name(path: &Path) -> Printable {
    Printable::from_text(&path.to_string_lossy())
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless::create(folder) {
            return Ok(Self::Nameless(file));
        }
        let mode = fs::Permissions::from_mode(0o600);
        tempfile::Builder::new()
            .prefix(".l2tp-inspect-")
            .permissions(mode)
            .tempfile_in(folder)
            .map(Self::Named)
    }

    fn file(&mut self) -> &mut File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file_mut(),
        }
    }

    fn commit(mut self, path: &Path, replace: bool) -> io::Result<()> {
        // A disk that is full may say so only now.
        self.file().sync_all()?;
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => nameless::commit(&file, path, replace),
            Self::Named(file) if replace => file.persist(path).map(drop).map_err(|error| error.error),
            Self::Named(file) => file.persist_noclobber(path).map(drop).map_err(|error| error.error),
        }
    }
}

impl Write for Temporary {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

/// Files that have no name yet (`O_TMPFILE`).
#[cfg(target_os = "linux")]
mod nameless {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd as _;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};

    fn proc(file: &File) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
    }

    /// `None` where the file system has no such files, or the system could not name them later.
    pub(super) fn create(folder: &Path) -> Option<File> {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = File::from(openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR).ok()?);
        proc(&file).symlink_metadata().is_ok().then_some(file)
    }

    pub(super) fn commit(file: &File, path: &Path, replace: bool) -> io::Result<()> {
        let link = |to: &Path| linkat(CWD, proc(file), CWD, to, AtFlags::SYMLINK_FOLLOW);
        if !replace {
            return Ok(link(path)?);
        }
        // What is there is replaced in one step: by a name beside it that is taken away from there.
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let beside =
            tempfile::Builder::new().prefix(".l2tp-inspect-").make_in(folder, |name| Ok(link(name)?))?;
        beside.into_temp_path().persist(path).map_err(|error| error.error)
    }
}
