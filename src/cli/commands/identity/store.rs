//! `identity store --keyring`.

use super::unlock;
use crate::cli::{Context, Exit};
use crate::keyring::{Answer, desktop};
use crate::keys::Identities;
use crate::problem::{Problem, Result};

#[derive(clap::Args, Debug)]
#[command(after_help = "\
On a desktop it goes to Secret Service or Keychain, and is found there from then on.
On Linux without a desktop it goes to the keyring of the kernel, which is a cache and forgets: the file
has to stay. The file is never removed.")]
pub(super) struct IdentityStoreArgs {
    /// Into the keyring of the system
    #[arg(long, required = true)]
    keyring: bool,
}

pub(super) fn run(_: &IdentityStoreArgs, ctx: &Context) -> Result<Exit> {
    let (from, keys) = from_file(ctx)?;
    if !ctx.session.env.session_bus && cfg!(target_os = "linux") {
        unlock::keep(&keys, &from, None, ctx)?;
        ctx.out.say(format_args!(
            "there is no session bus, so this is a cache and no store: keep {from}, it is the only copy that lasts"
        ));
        return Ok(Exit::Done);
    }
    let name = desktop::NAME;
    let failed = |why: &str| Problem::failed(format!("{name} cannot be used")).cause(why);
    match desktop::read(desktop::Unlocking::Ask) {
        Answer::Holds(text) if unlock::same(&text, &keys) => {
            ctx.out.say(format_args!("the private key of {from} is in {name} already"));
            return Ok(Exit::Done);
        }
        Answer::Holds(_) => {
            return Err(Problem::failed(format!("another private key is in {name} already"))
                .hint("look whether it is needed, then remove it: pillarbox identity forget --keyring")
                .into());
        }
        Answer::Locked => return Err(failed("it stays locked").into()),
        Answer::Unusable(why) => return Err(failed(&why).into()),
        Answer::Empty => {}
    }
    desktop::keep(&keys.file_text()).map_err(|why| failed(&why))?;
    ctx.out.say(format_args!("the private key of {from} is in {name}, too; the file is as it was"));
    ctx.out.say("before you remove the file, put a copy where it survives this machine");
    Ok(Exit::Done)
}

/// The first private key that lies in a file.
fn from_file(ctx: &Context) -> Result<(String, Identities)> {
    let mut index = 0;
    while let Some(source) = ctx.session.identity_source(index)? {
        if source.file().is_some() {
            return unlock::opened(&source, ctx);
        }
        index += 1;
    }
    Err(ctx.session.no_identity("there is no file with a private key").into())
}
