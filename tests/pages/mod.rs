//! The pages of this repository as tests read them: blocks of code, the commands in them, and a terminal to run them on.

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How wide the screens in the pages are.
pub const COLUMNS: u16 = 80;
/// What a screen has for lines that are left out.
pub const LEFT_OUT: &str = "…";
/// What the shell writes between the outputs of two commands.
const BETWEEN: char = '\u{1e}';

/// A page.
pub struct Page {
    /// Its path from the root of the repository.
    pub name: String,
    pub lines: Vec<String>,
}

/// A block of code, without its fences.
pub struct Block {
    /// What stands behind the first fence.
    pub language: String,
    /// Its lines in the page, counted from 0.
    pub lines: Range<usize>,
    /// How far it is moved to the right, in a list.
    pub indent: usize,
}

/// A command of a screen, and the lines of the page that show what it writes.
pub struct Step {
    pub command: String,
    pub shown: Range<usize>,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All pages.
pub fn pages() -> Vec<Page> {
    let mut names: Vec<String> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    names.extend(["README.md", "CONTRIBUTING.md"].map(String::from));
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        Page { lines: text.lines().map(String::from).collect(), name }
    };
    names.into_iter().map(read).collect()
}

impl Page {
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.lines.iter().enumerate() {
            let Some(language) = line.trim_start().strip_prefix("```") else { continue };
            open = match open.take() {
                None => Some(Block {
                    language: language.to_owned(),
                    lines: number + 1..number + 1,
                    indent: line.len() - line.trim_start().len(),
                }),
                Some(block) => {
                    blocks.push(Block { lines: block.lines.start..number, ..block });
                    None
                }
            };
        }
        assert!(open.is_none(), "{}: a block has no end", self.name);
        blocks
    }

    /// A line of a block, without the block's indentation.
    pub fn line(&self, block: &Block, number: usize) -> &str {
        self.lines[number].get(block.indent..).unwrap_or_default()
    }

    /// The commands of a screen behind this prompt, `$ ` or `# `.
    pub fn steps(&self, block: &Block, prompt: &str) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut continued = false;
        for number in block.lines.clone() {
            let line = self.line(block, number);
            if continued {
                let step = steps.last_mut().unwrap();
                let rest = line.strip_prefix("> ").expect("the rest of a command, behind `> `");
                step.command = format!("{}{rest}", step.command.trim_end_matches('\\'));
                step.shown = number + 1..number + 1;
            } else if let Some(command) = line.strip_prefix(prompt) {
                steps.push(Step { command: command.to_owned(), shown: number + 1..number + 1 });
            } else {
                let step =
                    steps.last_mut().unwrap_or_else(|| panic!("{}: output without a command", self.name));
                step.shown.end = number + 1;
            }
            continued =
                steps.last().is_some_and(|step| step.shown.is_empty() && step.command.ends_with('\\'));
        }
        steps
    }
}

/// Copies the samples into a folder that commands may write into.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs commands in one shell, on a terminal, and gives what each of them shows there.
pub fn on_terminal(folder: &Path, commands: &[&str]) -> Vec<Vec<String>> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    // Not a terminal that governs this test: it would be told to end when the terminal is gone.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(name, flags, Mode::empty()).unwrap();
    let size = Winsize { ws_row: 50, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();

    let tool = Path::new(env!("CARGO_BIN_EXE_l2tp-inspect")).parent().unwrap();
    let mut path = OsString::from(tool);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    // The exit code of a command is still there for the next one.
    let script = commands.join("\nleft=$?; printf '\\036'; (exit $left)\n");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder).env("PATH", path);
    shell
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS");
    shell.stdin(std::process::Stdio::null());
    shell.stdout(terminal.try_clone().unwrap()).stderr(terminal);
    let mut child = shell.spawn().unwrap();
    // The command holds the terminal's last handles but for those of the child.
    drop(shell);

    let mut screen = Vec::new();
    let mut master = fs::File::from(master);
    // Once the last user of the terminal is gone, reading fails (Linux) or ends.
    let _ = master.read_to_end(&mut screen);
    child.wait().unwrap();
    let screen = String::from_utf8(screen).unwrap().replace("\r\n", "\n");
    screen.split(BETWEEN).map(|output| output.lines().map(String::from).collect()).collect()
}

/// Whether a screen shows this, apart from what it leaves out.
pub fn agrees<T: AsRef<str>>(shown: &[T], real: &[String]) -> bool {
    let mut parts = shown.split(|line| line.as_ref() == LEFT_OUT);
    let same = |part: &[T], real: &[String]| {
        part.len() == real.len() && part.iter().zip(real).all(|(shown, real)| shown.as_ref() == real)
    };
    let first = parts.next().unwrap_or_default();
    let mut rest = match real.split_at_checked(first.len()) {
        Some((start, rest)) if same(first, start) => rest,
        _ => return false,
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.len().checked_sub(part.len()).is_some_and(|at| same(part, &rest[at..]));
        }
        let Some(at) = (0..=rest.len().saturating_sub(part.len()))
            .find(|at| rest.get(*at..at + part.len()).is_some_and(|lines| same(part, lines)))
        else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    false
}
