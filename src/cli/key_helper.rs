//! A process of our own that keeps the privileges of the caller when a capture gives them up, to fetch new keys.
//!
//! It is told what to do when it is started, before the first packet: which command to run, which files to read. After
//! that it only takes orders of one octet, and reads nothing that strangers sent. It ends when nobody can give orders.
//!
//! An answer is a list of [`Part`]s, each a kind and two texts with their lengths, and the octet [`END`].

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use zeroize::Zeroizing;

use crate::ipsec::keys::{self, MAX_FILE_OCTETS};
use crate::util::Printable;

use super::privacy;

/// The word that makes the command this process: no option, for nobody is to type it.
pub(super) const WORD: &str = "--keys-helper";
/// The order to run the command.
pub(super) const RUN: u8 = b'c';
/// The order to read the files.
pub(super) const READ: u8 = b'f';
/// Ends an answer.
const END: u8 = b'.';
/// How long the command may take.
const COMMAND_TIME: Duration = Duration::from_secs(10);
/// How often it is looked whether a command has ended that has closed its output.
const LOOK: Duration = Duration::from_millis(20);
/// Octets that are taken of a command's output at once. Each piece stays where it is, so that no copy of a key is left.
const PIECE: usize = 1 << 16;
/// The longest name of a file, or sentence, in octets.
const MAX_NAME_OCTETS: usize = 1 << 14;

/// What a part of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// The text of a key file, or what the command wrote.
    Keys = b'k',
    /// The text of the file of secrets.
    Secrets = b's',
    /// Why there is no text: a sentence in place of a name.
    Failure = b'e',
}

/// A part of an answer.
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) name: Printable,
    pub(super) text: Zeroizing<Vec<u8>>,
}

/// What the helper is told at its start.
pub(super) struct Told {
    pub(super) command: String,
    pub(super) secrets: Option<PathBuf>,
    pub(super) keys: Vec<PathBuf>,
}

impl Told {
    /// As words of a command line. No key is among them.
    pub(super) fn words(&self) -> Vec<OsString> {
        let secrets = self.secrets.clone().unwrap_or_default();
        let words = [OsString::from(WORD), OsString::from(&self.command), secrets.into()];
        words.into_iter().chain(self.keys.iter().map(|path| path.clone().into())).collect()
    }

    /// Out of the words behind [`WORD`].
    fn new(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let command = words.next()?.into_string().ok()?;
        let secrets = words.next().map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
        Some(Self { command, secrets, keys: words.map(PathBuf::from).collect() })
    }
}

/// The program of a command, and its arguments, split as a shell would.
pub(super) fn split(command: &str) -> Option<(String, Vec<String>)> {
    let mut words = shlex::split(command)?.into_iter();
    Some((words.next()?, words.collect()))
}

/// What keys of a command are said to be of.
pub(super) fn name(program: &str) -> Printable {
    Printable::from_text(program)
}

/// Why an order was not obeyed.
enum Why {
    /// What is to be told of it.
    Said(String),
    /// Nobody listens any more.
    Alone,
}

impl From<io::Error> for Why {
    fn from(_: io::Error) -> Self {
        Self::Alone
    }
}

/// Takes orders until nobody can give any.
pub(super) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    privacy::protect_memory();
    // What ends the capture, or is meant for it, must not end the helper before it.
    let ignored = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM, SIGUSR1] {
        let _ = signal_hook::flag::register(signal, Arc::clone(&ignored));
    }
    let (Some(told), Ok(orders), Ok(out)) = (
        Told::new(words),
        io::stdin().as_fd().try_clone_to_owned(),
        io::stdout().as_fd().try_clone_to_owned(),
    ) else {
        return ExitCode::FAILURE;
    };
    // Standard output of its own has a buffer, and keys would stay in it.
    let (mut orders, mut out) = (File::from(orders), File::from(out));
    let mut order = [0];
    while orders.read_exact(&mut order).is_ok() {
        let obeyed = match order {
            [RUN] => run_command(&told, &orders, &mut out),
            [READ] => read_files(&told, &mut out),
            _ => break,
        };
        if obeyed.and_then(|()| out.write_all(&[END])).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn read_files(told: &Told, out: &mut impl Write) -> io::Result<()> {
    for path in &told.keys {
        match keys::texts(path) {
            Ok(texts) => {
                texts
                    .iter()
                    .try_for_each(|(name, text)| part(Kind::Keys, name.as_str(), &[text.as_slice()], out))?;
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                failure(&format!("{error}{}", cause.unwrap_or_default()), out)?;
            }
        }
    }
    let Some(path) = &told.secrets else { return Ok(()) };
    let name = Printable::from_text(&path.to_string_lossy());
    match std::fs::read(path).map(Zeroizing::new) {
        Ok(text) => part(Kind::Secrets, name.as_str(), &[text.as_slice()], out),
        Err(error) => failure(&format!("cannot read {name}: {error}"), out),
    }
}

fn run_command(told: &Told, orders: &File, out: &mut impl Write) -> io::Result<()> {
    let Some((program, words)) = split(&told.command) else { return Ok(()) };
    let name = name(&program);
    match output(&program, &words, orders) {
        Ok(pieces) => {
            part(Kind::Keys, name.as_str(), &pieces.iter().map(|piece| &piece[..]).collect::<Vec<_>>(), out)
        }
        Err(Why::Said(why)) => failure(&format!("{name}: {why}"), out),
        Err(Why::Alone) => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// What a command writes to standard output. It ends, with all that it started, when its time is over or nobody waits
/// for it.
fn output(program: &str, words: &[String], orders: &File) -> Result<Vec<Zeroizing<Vec<u8>>>, Why> {
    let mut command = Command::new(program);
    // Standard error is not looked at: nobody knows what stands in it.
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(|error| Why::Said(error.to_string()))?;
    let done = match child.stdout.take() {
        Some(from) => listen(&mut child, from, orders),
        None => Err(Why::Alone),
    };
    if done.is_err() {
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        let _ = child.wait();
    }
    match done? {
        (pieces, status) if status.success() => Ok(pieces),
        (_, status) => Err(Why::Said(match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
        })),
    }
}

type Pieces = Vec<Zeroizing<Vec<u8>>>;

fn listen(child: &mut Child, mut from: ChildStdout, orders: &File) -> Result<(Pieces, ExitStatus), Why> {
    let late = || Why::Said(format!("took longer than {} s", COMMAND_TIME.as_secs()));
    let until = Instant::now() + COMMAND_TIME;
    let (mut pieces, mut total) = (Vec::new(), 0u64);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        if !readable(&from, orders, left)? {
            continue;
        }
        let mut piece = Zeroizing::new(vec![0; PIECE]);
        let read = match from.read(&mut piece) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Why::Said(error.to_string())),
        };
        if read == 0 {
            break;
        }
        total = total.saturating_add(read as u64);
        if total > MAX_FILE_OCTETS {
            return Err(Why::Said(format!("wrote more than {} MiB", MAX_FILE_OCTETS >> 20)));
        }
        piece.truncate(read);
        pieces.push(piece);
    }
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((pieces, status));
        }
        if Instant::now() >= until {
            return Err(late());
        }
        alone(orders, LOOK)?;
    }
}

/// Waits until there is output, and says whether there is.
fn readable(from: &ChildStdout, orders: &File, wait: Duration) -> Result<bool, Why> {
    let watched = [PollFd::new(from, PollFlags::IN), PollFd::new(orders, PollFlags::empty())];
    let [from, orders] = waited(watched, wait);
    if orders.intersects(GONE) { Err(Why::Alone) } else { Ok(!from.is_empty()) }
}

/// Waits, unless nobody waits for us.
fn alone(orders: &File, wait: Duration) -> Result<(), Why> {
    let [orders] = waited([PollFd::new(orders, PollFlags::empty())], wait);
    if orders.intersects(GONE) { Err(Why::Alone) } else { Ok(()) }
}

/// How the other end of a pipe shows that it is closed.
const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR);

/// What came of some files within a time, if anything did.
fn waited<const N: usize>(mut watched: [PollFd<'_>; N], wait: Duration) -> [PollFlags; N] {
    // A signal that interrupts it is as good as nothing.
    let _ = poll(&mut watched, Timespec::try_from(wait).ok().as_ref());
    watched.map(|one| one.revents())
}

fn failure(sentence: &str, out: &mut impl Write) -> io::Result<()> {
    part(Kind::Failure, sentence, &[], out)
}

fn part(kind: Kind, name: &str, text: &[&[u8]], out: &mut impl Write) -> io::Result<()> {
    let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let name = name.as_bytes();
    let name = name.get(..MAX_NAME_OCTETS).unwrap_or(name);
    let length: usize = text.iter().map(|piece| piece.len()).sum();
    out.write_all(&[kind as u8])?;
    out.write_all(&u32::try_from(name.len()).map_err(too_long)?.to_be_bytes())?;
    out.write_all(name)?;
    out.write_all(&u32::try_from(length).map_err(too_long)?.to_be_bytes())?;
    text.iter().try_for_each(|piece| out.write_all(piece))
}

/// Reads the next part of an answer; `None`: it has ended.
///
/// # Errors
///
/// When the helper is gone, or does not speak this language.
pub(super) fn next(from: &mut impl Read) -> io::Result<Option<Part>> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    let kind = match kind {
        [END] => return Ok(None),
        [b'k'] => Kind::Keys,
        [b's'] => Kind::Secrets,
        [b'e'] => Kind::Failure,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let name = text(from, MAX_NAME_OCTETS as u64)?;
    // A file that is too large is read one octet too far, so that it is known.
    let text = text(from, MAX_FILE_OCTETS + 1)?;
    Ok(Some(Part { kind, name: Printable::from_bytes(&name), text }))
}

fn text(from: &mut impl Read, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if u64::from(length) > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or(0)]);
    from.read_exact(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    fn told(command: &str, keys: &[&str]) -> Told {
        let keys = keys.iter().map(PathBuf::from).collect();
        Told { command: command.to_owned(), secrets: None, keys }
    }

    /// What comes of an order, while somebody can give more or not.
    fn obey(order: u8, told: &Told, alone: bool) -> io::Result<Vec<(Kind, String, String)>> {
        let (reader, writer) = io::pipe()?;
        let writer = Some(writer).filter(|_| !alone);
        let (orders, mut out) = (File::from(OwnedFd::from(reader)), Vec::new());
        match order {
            RUN => run_command(told, &orders, &mut out)?,
            _ => read_files(told, &mut out)?,
        }
        drop(writer);
        out.push(END);
        let (mut from, mut parts) = (out.as_slice(), Vec::new());
        while let Some(part) = next(&mut from)? {
            parts.push((part.kind, part.name.to_string(), String::from_utf8(part.text.to_vec()).unwrap()));
        }
        assert!(from.is_empty());
        Ok(parts)
    }

    #[test]
    fn a_command_is_no_shell_and_its_output_comes_whole() {
        let parts = obey(RUN, &told("printf '%s;' 'a b' $HOME \"|\" c", &[]), false).unwrap();
        assert_eq!(parts, [(Kind::Keys, String::from("printf"), String::from("a b;$HOME;|;c;"))]);
        let long = obey(RUN, &told("head -c 1000000 /dev/zero", &[]), false).unwrap();
        assert_eq!(long[0].2.len(), 1_000_000);
    }

    #[test]
    fn failures_say_why_and_repeat_nothing_of_the_output() {
        for (command, why) in [
            ("sh -c 'echo hush; echo hush >&2; exit 3'", "sh: ended with exit code 3"),
            ("sh -c 'echo hush; kill -9 $$'", "sh: was ended by signal 9"),
            ("head -c 70000000 /dev/zero", "head: wrote more than 64 MiB"),
            ("/nonexistent/program", "/nonexistent/program: No such file or directory (os error 2)"),
        ] {
            let parts = obey(RUN, &told(command, &[]), false).unwrap();
            assert_eq!(parts, [(Kind::Failure, why.to_owned(), String::new())]);
        }
    }

    #[test]
    fn a_command_ends_with_who_ordered_it() {
        let began = Instant::now();
        assert!(obey(RUN, &told("sh -c 'sleep 60'", &[]), true).is_err());
        assert!(obey(RUN, &told("sh -c 'exec >&-; sleep 60'", &[]), true).is_err());
        assert!(began.elapsed() < COMMAND_TIME);
    }

    #[test]
    fn files_are_read_and_what_is_missing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let [file, gone, secrets] = ["keys", "gone", "secrets"].map(|name| folder.path().join(name));
        std::fs::write(&file, "some keys").unwrap();
        std::fs::write(&secrets, "some secrets").unwrap();
        let names = [&file, &gone].map(|path| path.to_str().unwrap());
        let told = Told { secrets: Some(secrets), ..told("", &names) };
        let parts = obey(READ, &told, false).unwrap();
        assert_eq!(
            parts.iter().map(|part| part.0).collect::<Vec<_>>(),
            [Kind::Keys, Kind::Failure, Kind::Secrets]
        );
        assert_eq!((parts[0].2.as_str(), parts[2].2.as_str()), ("some keys", "some secrets"));
        assert!(parts[1].1.contains("gone"), "{:?}", parts[1]);
    }

    #[test]
    fn what_it_is_told_stands_in_words() {
        let told = Told { secrets: Some("s".into()), ..told("ip xfrm state", &["a", "b"]) };
        let words = told.words();
        assert_eq!(words[0], WORD);
        let again = Told::new(words.into_iter().skip(1)).unwrap();
        assert_eq!((&again.command, &again.secrets, &again.keys), (&told.command, &told.secrets, &told.keys));
        assert!(split("").is_none() && split("ip 'xfrm").is_none());
    }

    #[test]
    fn answers_that_are_none_are_refused() {
        for octets in [&b"x"[..], b"", b"k\xff\xff\xff\xff", b"k\0\0\0\x01n\xff\xff\xff\xff"] {
            assert!(next(&mut &*octets).is_err());
        }
    }
}
