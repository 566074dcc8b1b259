//! The command line. Only here are standard streams, the environment and files of the user touched.

pub mod args;
pub mod exit;

mod checking;
#[cfg(feature = "live")]
mod conditions;
mod diff;
#[cfg(feature = "live")]
mod end;
mod explain;
mod export;
mod habits;
#[cfg(feature = "live")]
mod key_helper;
mod keys;
mod lists;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "live")]
mod memory;
#[cfg(feature = "live")]
mod metrics;
#[cfg(feature = "live")]
mod new_keys;
mod offline;
mod output;
mod privacy;
#[cfg(feature = "live")]
mod privilege;
mod report;
#[cfg(feature = "live")]
mod ring;
mod screen;
mod selection;
#[cfg(feature = "live")]
mod strangers;
mod views;
#[cfg(feature = "live")]
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use exit::{Exit, Failure};

/// Runs the command: arguments in, exit code out.
pub fn run() -> ExitCode {
    #[cfg(feature = "live")]
    if std::env::args_os().nth(1).is_some_and(|word| word == key_helper::WORD) {
        return key_helper::run(std::env::args_os().skip(2));
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    match execute(&args) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.print();
            Exit::Failed.into()
        }
    }
}

fn execute(args: &Args) -> Result<Exit, Failure> {
    if let Some(id) = &args.explain {
        print(&explain::explain(id)?)?;
        return Ok(Exit::Done);
    }
    if args.list_rules {
        print(&explain::list())?;
        return Ok(Exit::Done);
    }
    if args.list_fields {
        print(&lists::fields())?;
        return Ok(Exit::Done);
    }
    if args.list_algorithms {
        print(&lists::algorithms())?;
        return Ok(Exit::Done);
    }
    if args.list_protocols {
        print(&lists::protocols())?;
        return Ok(Exit::Done);
    }
    if args.list_interfaces || !args.interface.is_empty() {
        return on_interfaces(args);
    }
    offline::run(args)
}

#[cfg(feature = "live")]
fn on_interfaces(args: &Args) -> Result<Exit, Failure> {
    if args.list_interfaces {
        print(&live::list()?)?;
        return Ok(Exit::Done);
    }
    live::run(args)
}

#[cfg(not(feature = "live"))]
fn on_interfaces(_: &Args) -> Result<Exit, Failure> {
    Err(Failure::new("this command was built without libpcap, so it cannot capture")
        .hint("tcpdump -w FILE -i IFACE, then l2tp-inspect FILE"))
}

/// Help goes to standard output, a bad option to standard error; both without what a terminal would obey.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match print(&error.render().to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                failure.print();
                Exit::Failed.into()
            }
        };
    }
    if let Some(clap::error::ContextValue::String(option)) = error.get(clap::error::ContextKind::InvalidArg)
        && error.kind() == clap::error::ErrorKind::UnknownArgument
        && let Some(hint) = habits::hint(option)
    {
        Failure::new(format!("there is no option {option}")).hint(hint).print();
        return Exit::Failed.into();
    }
    let text = error.render().to_string();
    let clean: Vec<String> =
        text.lines().map(|line| crate::util::Printable::from_text(line).to_string()).collect();
    let _ = writeln!(io::stderr(), "l2tp-inspect: {}", clean.join("\n"));
    Exit::Failed.into()
}

/// Writes to standard output.
fn print(text: &str) -> Result<(), Failure> {
    finish(io::stdout().lock().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()))
}

/// A closed pipe is a reader who has seen enough; any other failure to write is one.
fn finish(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new("cannot write to standard output").cause(error))
        }
        _ => Ok(()),
    }
}
