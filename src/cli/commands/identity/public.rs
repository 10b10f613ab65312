//! `identity public`.

use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::problem::Result;
use crate::session::Asking;

#[derive(clap::Args, Debug)]
pub(super) struct IdentityPublicArgs {
    /// Of all private keys at hand, in the order in which they are tried
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &IdentityPublicArgs, ctx: &Context) -> Result<Exit> {
    let found = if args.all { all(ctx)? } else { Vec::from_iter(first_public(ctx)?) };
    if found.is_empty() {
        return Err(ctx.session.no_identity("there is no private key at hand").into());
    }
    if ctx.out.json {
        let one = |(from, public): &(String, Recipient)| serde_json::json!({ "from": from, "public": public.as_str() });
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "identities": found.iter().map(one).collect::<Vec<_>>(),
        }));
        return Ok(Exit::Done);
    }
    for (from, public) in found {
        ctx.out.data(public);
        ctx.out.detail(from);
    }
    Ok(Exit::Done)
}

/// The public half of the private key that is tried first, and where that is; `None` if there is none.
/// That of an ssh key is told without its passphrase; for others it is asked for.
pub(in crate::cli::commands) fn first_public(ctx: &Context) -> Result<Option<(String, Recipient)>> {
    let (mut index, mut locked) = (0, Vec::new());
    while let Some(source) = ctx.session.identity_source(index)? {
        if let Some(public) = source.publics().next() {
            return Ok(Some((source.from.clone(), public.clone())));
        }
        locked.extend(source.locked_keys().is_some().then(|| source.clone()));
        index += 1;
    }
    if let Some(source) = locked.first() {
        let own = ctx.session.with_identities(Asking::Allowed, &|_| true, |keys| {
            Ok(keys.iter().next().map(|key| key.recipient().clone()))
        })?;
        return match own {
            Some(own) => Ok(Some((source.from.clone(), own))),
            None => Err(ctx
                .session
                .no_identity("the private key at hand cannot be asked for its public half")
                .into()),
        };
    }
    Ok(None)
}

fn all(ctx: &Context) -> Result<Vec<(String, Recipient)>> {
    let found = ctx.session.public_keys()?;
    let mut index = 0;
    while let Some(source) = ctx.session.identity_source(index)? {
        if source.locked_keys().is_some() && source.publics().next().is_none() {
            ctx.out.warn(format_args!(
                "{} is protected by a passphrase and left out; unlock it first: pillarbox identity unlock",
                source.from
            ));
        }
        index += 1;
    }
    Ok(found)
}
