//! Keys that come while a capture goes on: of a command that is run when an SA without a key appears, and of key files
//! that are read again on SIGHUP. The [helper](super::key_helper) fetches the texts, a thread makes keys of them.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use signal_hook::consts::SIGHUP;

use crate::inspector::Inspector;
use crate::ipsec::keys::{self, KeyError};
use crate::ipsec::{Keychain, Sad, SecretsFile};
use crate::report::events;
use crate::util::Printable;

use super::args::Args;
use super::exit::Failure;
use super::key_helper::{self, Kind, Part, READ, RUN, Told};
use super::strangers::Strangers;
use super::{keys as key_files, privacy};

/// How long is waited for the helper to end.
const END_TIME: Duration = Duration::from_secs(1);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(5);
/// Different failures of the command that are told.
const MOST_TOLD: usize = 64;

/// Keys before the capture begins.
pub(super) struct Keys {
    chain: Keychain,
    helper: Option<Helper>,
}

/// The process that fetches what the capture may not read.
struct Helper {
    child: Child,
    orders: ChildStdin,
    answers: ChildStdout,
    told: Told,
    failed: HashSet<String>,
    hang_up: Arc<AtomicBool>,
}

impl Keys {
    /// Starts the helper where keys may come later, and runs the command of `--keys-command` for the first time. To be
    /// called before privileges are given up.
    ///
    /// # Errors
    ///
    /// When the command line holds no command, or the helper cannot be started. A command that fails is a warning.
    pub(super) fn new(args: &Args, chain: Keychain) -> Result<Self, Failure> {
        let mut keys = Self { chain, helper: None };
        let command = args.keys_command.clone().unwrap_or_default();
        if args.keys_command.is_some() && key_helper::split(&command).is_none() {
            return Err(Failure::new("--keys-command: no command, or a quote that is not closed")
                .hint("--keys-command 'ip xfrm state'"));
        }
        let told = Told {
            command,
            secrets: args.secrets.clone().filter(|path| path.is_file()),
            keys: key_files::files(args),
        };
        if args.keys_command.is_none() && told.secrets.is_none() && told.keys.is_empty() {
            return Ok(keys);
        }
        privacy::protect_memory();
        let mut helper = Helper::start(told)?;
        if args.keys_command.is_some() {
            let failed = |error| Failure::new("the process that fetches keys ended").cause(error);
            helper.orders.write_all(&[RUN]).map_err(failed)?;
            let news = hear(&mut helper.answers, &mut keys.chain).map_err(failed)?.news;
            news.say();
            helper.failed.extend(news.failures);
        }
        keys.helper = Some(helper);
        Ok(keys)
    }

    /// Those that there are.
    pub(super) fn sad(&self) -> Sad {
        self.chain.sad()
    }

    /// What brings more of them, if anything does. To be called after privileges are given up, for it starts a thread.
    pub(super) fn follow(self) -> Option<NewKeys> {
        let Self { mut chain, helper } = self;
        let Helper { child, orders, mut answers, told, failed, hang_up } = helper?;
        let (to, heard) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok(answer) = hear(&mut answers, &mut chain)
                && to.send(answer).is_ok()
            {}
        });
        let due = Due { run: false, read: false };
        Some(NewKeys {
            child,
            orders: Some(orders),
            heard,
            has: Due { run: !told.command.is_empty(), read: told.secrets.is_some() || !told.keys.is_empty() },
            due,
            busy: None,
            strangers: Strangers::new(Instant::now()),
            failed,
            hang_up,
            terminals: terminals(),
        })
    }
}

impl Helper {
    fn start(told: Told) -> Result<Self, Failure> {
        let failed =
            |error: io::Error| Failure::new("cannot start the process that fetches keys").cause(error);
        let hang_up = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, Arc::clone(&hang_up)).map_err(failed)?;
        let itself = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().map_err(failed)?
        };
        let mut command = Command::new(itself);
        // In a group of its own, so that Ctrl-C is not for it.
        command.arg0("l2tp-inspect").args(told.words()).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(orders), Some(answers)) => {
                Ok(Self { child, orders, answers, told, failed: HashSet::new(), hang_up })
            }
            _ => Err(failed(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

/// What an answer of the helper comes to.
#[derive(Default)]
struct Answer {
    /// All keys, if there are more than before.
    sad: Option<Sad>,
    secrets: Option<SecretsFile>,
    news: News,
}

/// What there is to tell.
#[derive(Default)]
pub(super) struct News {
    /// How many keys came, and where they are from.
    pub(super) more: Vec<(Printable, usize)>,
    /// The file of secrets that was read again.
    secrets: Option<Printable>,
    /// What failed, a sentence each.
    pub(super) failures: Vec<String>,
}

impl News {
    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.more.is_empty() && self.secrets.is_none() && self.failures.is_empty()
    }

    /// Writes it to standard error.
    pub(super) fn say(&self) {
        let mut err = io::stderr().lock();
        for (of, more) in &self.more {
            let _ = writeln!(err, "l2tp-inspect: {}", events::keys(*more, of));
        }
        drop(err);
        self.say_rest();
    }

    /// Writes what is no event to standard error.
    pub(super) fn say_rest(&self) {
        let mut err = io::stderr().lock();
        if let Some(file) = &self.secrets {
            let _ = writeln!(err, "l2tp-inspect: {file}: read again");
        }
        for failure in &self.failures {
            let _ = writeln!(err, "l2tp-inspect: warning: {failure}");
        }
    }
}

/// Waits for an answer, and puts its keys onto the chain.
fn hear(from: &mut ChildStdout, chain: &mut Keychain) -> io::Result<Answer> {
    let mut answer = Answer::default();
    while let Some(part) = key_helper::next(from)? {
        if let Err(failure) = answer.take(part, chain) {
            answer.news.failures.push(failure);
        }
    }
    if !answer.news.more.is_empty() {
        answer.sad = Some(chain.sad());
    }
    Ok(answer)
}

impl Answer {
    fn take(&mut self, part: Part, chain: &mut Keychain) -> Result<(), String> {
        let Part { kind, name, text } = part;
        match kind {
            Kind::Failure => Err(name.to_string()),
            // A system without SAs prints nothing.
            Kind::Keys if text.trim_ascii().is_empty() => Ok(()),
            Kind::Keys => {
                let before = chain.len();
                let added = keys::parse(&name, &text).and_then(|file| chain.add(file));
                let more = chain.len().saturating_sub(before);
                if more > 0 {
                    self.news.more.push((name, more));
                }
                added.map_err(|error| words(&error))
            }
            Kind::Secrets => {
                let text = std::str::from_utf8(&text).map_err(|_| format!("{name}: is no text"))?;
                self.secrets = Some(SecretsFile::parse(&name, text).map_err(|error| words(&error))?);
                self.news.secrets = Some(name);
                Ok(())
            }
        }
    }
}

fn words(error: &KeyError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// What can be, or is to be, ordered.
struct Due {
    run: bool,
    read: bool,
}

/// Asks for keys while a capture goes on.
pub(super) struct NewKeys {
    child: Child,
    /// Nothing once the helper has ended.
    orders: Option<ChildStdin>,
    heard: Receiver<Answer>,
    has: Due,
    due: Due,
    /// The order to which no answer came yet.
    busy: Option<u8>,
    strangers: Strangers,
    /// What failed before: it is told once.
    failed: HashSet<String>,
    hang_up: Arc<AtomicBool>,
    terminals: [bool; 3],
}

impl NewKeys {
    /// Gives the inspector what came since the last tick, orders more where that makes sense, and says what there is to
    /// tell. Never waits.
    pub(super) fn tick(&mut self, inspector: &mut Inspector<'_>) -> News {
        self.strangers.note(inspector.strangers());
        let mut news = News::default();
        match self.heard.try_recv() {
            Ok(answer) => news = self.take(answer, inspector),
            Err(TryRecvError::Disconnected) if self.orders.take().is_some() => {
                news.failures
                    .push(String::from("the process that fetches keys ended: no more keys will come"));
            }
            Err(_) => {}
        }
        if self.hang_up.swap(false, Ordering::Relaxed) {
            self.due = Due { run: self.has.run, read: self.has.read };
        }
        let now = Instant::now();
        let run = self.due.run || (self.has.run && self.strangers.want(now));
        match &mut self.orders {
            Some(orders) if self.busy.is_none() && (self.due.read || run) => {
                let order = if self.due.read { READ } else { RUN };
                if order == READ {
                    self.due.read = false;
                } else {
                    self.due.run = false;
                    self.strangers.ask(now);
                }
                // An octet has room in the pipe: all before it were answered.
                if orders.write_all(&[order]).is_ok() {
                    self.busy = Some(order);
                }
            }
            _ => {}
        }
        news
    }

    fn take(&mut self, answer: Answer, inspector: &mut Inspector<'_>) -> News {
        let Answer { sad, secrets, mut news } = answer;
        if self.busy.take() == Some(RUN) {
            self.strangers.answered(news.failures.is_empty());
            news.failures
                .retain(|failure| self.failed.len() < MOST_TOLD && self.failed.insert(failure.clone()));
        }
        if let Some(sad) = sad {
            inspector.grow(Arc::new(sad));
        }
        if let Some(secrets) = secrets {
            inspector.tell_secrets(secrets);
        }
        news
    }

    /// Whether the terminal that the capture was started from is gone. That comes with a SIGHUP too, and ends the
    /// capture as it would without new keys.
    pub(super) fn lost_terminal(&self) -> bool {
        self.hang_up.load(Ordering::Relaxed) && self.terminals != terminals()
    }
}

impl Drop for NewKeys {
    /// Without anybody who gives orders the helper ends.
    fn drop(&mut self) {
        drop(self.orders.take());
        let until = Instant::now() + END_TIME;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
    }
}

/// Which standard streams are terminals.
fn terminals() -> [bool; 3] {
    [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()]
}
