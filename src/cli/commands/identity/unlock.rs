//! `identity unlock [FILE]`.

use super::{outside_of_workspaces, shown};
use crate::cli::{Context, Exit};
use crate::keyring::kernel::Reach;
use crate::keyring::{Answer, desktop, kernel};
use crate::keys::{Identities, IdentityFile};
use crate::problem::{Problem, Result};
use crate::session::IdentitySource;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Without FILE it is the first private key that is protected by a passphrase, else the one in the keyring
of the desktop. It lies in the memory of the kernel, readable for your own processes alone, until the
time is over, 'pillarbox identity forget', or the next reboot.

Example:
  pillarbox identity unlock --for 8h")]
pub(super) struct IdentityUnlockArgs {
    /// A file with a private key: an age file with a passphrase, or an ssh-ed25519 key
    file: Option<PathBuf>,
    /// For how long: 30m, 8h, 2d
    #[arg(long = "for", value_name = "TIME", default_value = "8h", value_parser = time)]
    time: Duration,
}

/// The longest time, in days.
const DAYS: u64 = 30;

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|_| "give a time such as 30m, 8h or 2d".to_owned())?;
    if time < Duration::from_secs(1) || time > Duration::from_secs(DAYS * 24 * 60 * 60) {
        return Err(format!("give a time from one second to {DAYS} days"));
    }
    Ok(time)
}

pub(super) fn run(args: &IdentityUnlockArgs, ctx: &Context) -> Result<Exit> {
    let (from, keys) = to_unlock(args, ctx)?;
    keep(&keys, &from, Some(args.time), ctx)?;
    Ok(Exit::Done)
}

/// Puts keys into the kernel's keyring, never over others.
pub(super) fn keep(keys: &Identities, from: &str, time: Option<Duration>, ctx: &Context) -> Result<()> {
    let failed = |why: &str| {
        Problem::failed("the kernel's keyring cannot be used")
            .cause(why)
            .hint("without it a passphrase is asked for by each command; for jobs give an unprotected key with PILLARBOX_AGE_KEY or --identity")
    };
    match kernel::read() {
        Answer::Holds(text) if !same(&text, keys) => {
            return Err(Problem::failed("another private key is unlocked already")
                .hint("forget it first: pillarbox identity forget")
                .into());
        }
        Answer::Unusable(why) => return Err(failed(&why).into()),
        Answer::Holds(_) | Answer::Empty | Answer::Locked => {}
    }
    let reach = kernel::keep(&keys.file_text(), time).map_err(|why| failed(&why))?;
    let time = match time {
        Some(time) => format!(" for {}", humantime::format_duration(time)),
        None => String::new(),
    };
    ctx.out.say(match reach {
        Reach::User => format!(
            "unlocked {from}{time}, in the kernel's keyring of this user: gone at a reboot, and after three days without use"
        ),
        Reach::Session => {
            format!("unlocked {from}{time}, in the kernel's keyring of this session: gone when you log out")
        }
    });
    Ok(())
}

/// Whether a kept text holds the same keys.
pub(super) fn same(text: &crate::secret::Secret, keys: &Identities) -> bool {
    match IdentityFile::read(text, "keyring") {
        Ok(IdentityFile::Open(kept)) => {
            kept.iter().all(|key| keys.hold(key.recipient()))
                && keys.iter().all(|key| kept.hold(key.recipient()))
        }
        _ => false,
    }
}

/// The keys to unlock, and what they are called.
fn to_unlock(args: &IdentityUnlockArgs, ctx: &Context) -> Result<(String, Identities)> {
    if let Some(file) = &args.file {
        let path = ctx.session.absolute(file);
        outside_of_workspaces(&path)?;
        return opened(&ctx.session.identity_file(shown(&path), &path)?, ctx);
    }
    let mut open = None;
    let mut index = 0;
    while let Some(source) = ctx.session.identity_source(index)? {
        if source.locked_keys().is_some() {
            return opened(&source, ctx);
        }
        if source.file().is_some() {
            open.get_or_insert(Rc::clone(&source));
        }
        index += 1;
    }
    if ctx.session.env.keyrings && (ctx.session.env.session_bus || !cfg!(target_os = "linux")) {
        match desktop::read(desktop::Unlocking::Ask) {
            Answer::Holds(text) => {
                if let IdentityFile::Open(keys) = IdentityFile::read(&text, desktop::NAME)? {
                    return Ok((format!("the key in {}", desktop::NAME), keys));
                }
            }
            Answer::Locked => return Err(Problem::failed(format!("{} stays locked", desktop::NAME)).into()),
            Answer::Empty | Answer::Unusable(_) => {}
        }
    }
    Err(match open {
        Some(source) => Problem::failed(format!("{} is not protected by a passphrase", source.from))
            .cause("commands read it as it is; there is nothing to unlock")
            .into(),
        None => ctx.session.no_identity("there is no private key to unlock").into(),
    })
}

/// The keys of a source, its passphrase asked for if it has one.
pub(super) fn opened(source: &IdentitySource, ctx: &Context) -> Result<(String, Identities)> {
    let keys = match (source.keys(), source.locked_keys()) {
        (Some(keys), _) => keys.clone(),
        (None, Some(locked)) => ctx.session.opened_by_passphrase(&source.from, locked)?,
        (None, None) => Identities::default(),
    };
    Ok((source.from.clone(), keys))
}
