//! Gives up what a running capture needs no more: the device, the keys and the outputs are open by then, and from there
//! on the process only reads what strangers send.
//!
//! As root it becomes another user without supplementary groups; as anyone it empties its capabilities, can gain none
//! again (no_new_privs), and locks itself in with Landlock, as far as the kernel knows it, to the few files it still
//! opens. It holds for the whole process because it happens before any thread is started; where one runs, it is refused.

use std::fs::File;
use std::path::PathBuf;

use super::args::Args;
use super::exit::Failure;

/// What a capture still opens while it runs.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Files and folders that are read.
    pub(super) reads: Vec<PathBuf>,
    /// Folders in which files are made, written and removed.
    pub(super) writes: Vec<PathBuf>,
}

/// The option that keeps everything.
const KEEP: &str = "--keep-privileges captures with all privileges of the caller";

fn refused(what: &str) -> Failure {
    Failure::new(format!("cannot give up privileges: {what}")).hint(KEEP)
}

#[cfg(target_os = "linux")]
pub(super) use linux::Privileges;

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, Write as _};

    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
    };
    use nix::unistd::{self, Gid, Uid, User};
    use rustix::thread::{self, CapabilitySet, CapabilitySets};

    use super::{Args, Failure, File, Needs, refused};
    use crate::util::Printable;

    /// The last kernel interface of Landlock that the rules below were thought through for.
    const LANDLOCK: ABI = ABI::V6;
    /// What tells the local time, which may be read for the first time when the first packet comes.
    const TIME_ZONES: [&str; 2] = ["/etc/localtime", "/usr/share/zoneinfo"];

    /// What is given up, decided before anything is opened.
    #[derive(Debug)]
    pub(in crate::cli) struct Privileges {
        keep: bool,
        /// Whom to become; only root can.
        become_user: Option<Target>,
    }

    #[derive(Debug)]
    struct Target {
        name: String,
        user: Uid,
        group: Gid,
    }

    impl Privileges {
        /// What the command line and the caller's identity ask for: the user of `--user`, else who called sudo, else
        /// nobody.
        ///
        /// # Errors
        ///
        /// When there is no such user.
        pub(in crate::cli) fn new(args: &Args) -> Result<Self, Failure> {
            if args.keep_privileges || !Uid::effective().is_root() {
                return match &args.user {
                    Some(_) => Err(Failure::new("--user: only root can become another user")),
                    None => Ok(Self { keep: args.keep_privileges, become_user: None }),
                };
            }
            let target = match &args.user {
                Some(name) => named(name)?,
                None => match caller_of_sudo() {
                    Some(caller) => caller,
                    None => named("nobody")?,
                },
            };
            Ok(Self { keep: false, become_user: Some(target) })
        }

        /// Who this process will be, if that changes.
        pub(in crate::cli) fn user(&self) -> Option<&str> {
            self.become_user.as_ref().map(|target| target.name.as_str())
        }

        /// Gives an output that is open to whom the process will be.
        pub(in crate::cli) fn own(&self, file: &File) -> io::Result<()> {
            match &self.become_user {
                Some(target) => {
                    let user = rustix::fs::Uid::from_raw(target.user.as_raw());
                    let group = rustix::fs::Gid::from_raw(target.group.as_raw());
                    Ok(rustix::fs::fchown(file, Some(user), Some(group))?)
                }
                None => Ok(()),
            }
        }

        /// Gives up everything but `needs`, for good.
        ///
        /// # Errors
        ///
        /// When any part of it fails, or did not do what it was to do.
        pub(in crate::cli) fn give_up(&self, needs: &Needs) -> Result<(), Failure> {
            if self.keep {
                return Ok(());
            }
            let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
            if threads != 1 {
                return Err(refused("threads run already"));
            }
            if let Some(target) = &self.become_user {
                drop_bounding_set();
                change_user(target)
                    .map_err(|error| refused(&format!("cannot become {}", target.name)).cause(error))?;
            }
            empty_capabilities().map_err(|error| refused("capabilities stay").cause(error))?;
            thread::set_no_new_privs(true).map_err(|error| refused("no_new_privs").cause(error))?;
            self.verify()?;
            if let Err(error) = lock_in(needs) {
                let error = Printable::from_text(&error.to_string());
                let _ = writeln!(io::stderr(), "l2tp-inspect: warning: not locked in by Landlock: {error}");
            }
            Ok(())
        }

        /// Whether nothing is left, and nothing comes back.
        fn verify(&self) -> Result<(), Failure> {
            let now = thread::capabilities(None).map_err(|error| refused("capabilities").cause(error))?;
            let none = CapabilitySet::empty();
            if (now.effective, now.permitted, now.inheritable) != (none, none, none) {
                return Err(refused("capabilities stay"));
            }
            let Some(target) = &self.become_user else { return Ok(()) };
            let ids = unistd::getresuid().map_err(|error| refused("user").cause(error))?;
            if [ids.real, ids.effective, ids.saved] != [target.user; 3] {
                return Err(refused("the user stays"));
            }
            let root = Uid::from_raw(0);
            if unistd::setresuid(root, root, root).is_ok() {
                return Err(refused("root can come back"));
            }
            Ok(())
        }
    }

    fn named(name: &str) -> Result<Target, Failure> {
        let shown = Printable::from_text(name);
        let hint = "--user NAME names a user that is not root";
        let user = User::from_name(name)
            .map_err(|error| Failure::new(format!("--user {shown}")).cause(error))?
            .ok_or_else(|| Failure::new(format!("{shown}: no such user")).hint(hint))?;
        if user.uid.is_root() {
            return Err(Failure::new(format!("{shown} is root, and that is what is to be given up"))
                .hint(super::KEEP));
        }
        Ok(Target { name: shown.to_string(), user: user.uid, group: user.gid })
    }

    /// Who called sudo, unless that is root.
    fn caller_of_sudo() -> Option<Target> {
        let id = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
        let (user, group) = (Uid::from_raw(id("SUDO_UID")?), Gid::from_raw(id("SUDO_GID")?));
        let name = User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name);
        (!user.is_root()).then(|| Target { name: Printable::from_text(&name).to_string(), user, group })
    }

    fn change_user(target: &Target) -> nix::Result<()> {
        unistd::setgroups(&[])?;
        unistd::setresgid(target.group, target.group, target.group)?;
        unistd::setresuid(target.user, target.user, target.user)
    }

    /// The set that bounds what a program could gain by being started. Nothing is gained anyway with no_new_privs, so
    /// what refuses is left.
    fn drop_bounding_set() {
        for bit in 0..u64::BITS {
            let capability = CapabilitySet::from_bits_retain(1 << bit);
            if thread::remove_capability_from_bounding_set(capability).is_err() {
                break;
            }
        }
    }

    fn empty_capabilities() -> rustix::io::Result<()> {
        thread::clear_ambient_capability_set()?;
        let none = CapabilitySet::empty();
        thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
    }

    /// No file but these, no TCP connection, no signal or abstract socket outside. What the kernel does not know of it
    /// is left out.
    fn lock_in(needs: &Needs) -> Result<RulesetStatus, RulesetError> {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let write = AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
        let status = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(LANDLOCK))?
            .handle_access(AccessNet::from_all(LANDLOCK))?
            .scope(Scope::from_all(LANDLOCK))?
            .create()?
            .add_rules(path_beneath_rules(TIME_ZONES, read))?
            .add_rules(path_beneath_rules(&needs.reads, read))?
            .add_rules(path_beneath_rules(&needs.writes, read | write))?
            .restrict_self()?;
        Ok(status.ruleset)
    }

    #[cfg(test)]
    mod tests {
        use std::fs;

        use super::*;

        /// Landlock binds the thread that asks for it and those it starts, so a thread can try it.
        #[test]
        fn who_is_locked_in_opens_what_it_needs_and_nothing_else() {
            let (open, shut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let [read, secret] = [&open, &shut].map(|folder| folder.path().join("there"));
            for file in [&read, &secret] {
                fs::write(file, "x").unwrap();
            }
            let writes = tempfile::tempdir().unwrap();
            let needs = Needs { reads: vec![open.path().to_owned()], writes: vec![writes.path().to_owned()] };
            let locked = move || {
                if lock_in(&needs).unwrap() == RulesetStatus::NotEnforced {
                    println!("skipped: this kernel has no Landlock");
                    return;
                }
                assert_eq!(fs::read(&read).unwrap(), b"x");
                assert!(fs::read(&secret).is_err() && fs::write(&read, "y").is_err());
                let file = writes.path().join("new");
                fs::write(&file, "y").unwrap();
                fs::remove_file(&file).unwrap();
                assert!(fs::create_dir(&file).is_err());
            };
            std::thread::spawn(locked).join().unwrap();
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::Privileges;

/// Elsewhere the system gives its users access to capture devices, so nobody needs to be root.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::{Args, Failure, File, Needs, refused};

    #[derive(Debug)]
    pub(in crate::cli) struct Privileges;

    impl Privileges {
        pub(in crate::cli) fn new(args: &Args) -> Result<Self, Failure> {
            if args.user.is_some() {
                return Err(Failure::new("--user works on Linux only"));
            }
            if rustix::process::geteuid().is_root() && !args.keep_privileges {
                return Err(refused("this works on Linux only"));
            }
            Ok(Self)
        }

        pub(in crate::cli) fn user(&self) -> Option<&str> {
            None
        }

        pub(in crate::cli) fn own(&self, _: &File) -> std::io::Result<()> {
            Ok(())
        }

        pub(in crate::cli) fn give_up(&self, _: &Needs) -> Result<(), Failure> {
            Ok(())
        }
    }
}
