//! `identity forget`.

use crate::cli::{Context, Exit};
use crate::keyring::{desktop, kernel};
use crate::problem::{Problem, Problems, Result};

#[derive(clap::Args, Debug)]
pub(super) struct IdentityForgetArgs {
    /// Also what 'pillarbox identity store --keyring' put into the keyring of the desktop
    #[arg(long)]
    keyring: bool,
}

pub(super) fn run(args: &IdentityForgetArgs, ctx: &Context) -> Result<Exit> {
    let mut problems = Vec::new();
    if cfg!(target_os = "linux") {
        match kernel::remove() {
            Ok(true) => ctx.out.say("forgot the private key in the kernel's keyring"),
            Ok(false) => ctx.out.say("no private key was in the kernel's keyring"),
            Err(why) => problems.push(failed("the kernel's keyring", why)),
        }
    }
    if args.keyring {
        let name = desktop::NAME;
        match desktop::remove() {
            Ok(true) => ctx.out.say(format_args!("removed the private key from {name}")),
            Ok(false) => ctx.out.say(format_args!("no private key was in {name}")),
            Err(why) => problems.push(failed(name, why)),
        }
    }
    Problems::check(problems)?;
    Ok(Exit::Done)
}

fn failed(name: &str, why: String) -> Problem {
    Problem::failed(format!("{name} cannot be used")).cause(why)
}
