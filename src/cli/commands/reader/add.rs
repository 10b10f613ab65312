//! `pillarbox reader add NAME [KEY]`.

use super::acceptance::{self, Acceptance};
use crate::cli::{Context, Exit};
use crate::keys::Recipient;
use crate::name::ReaderName;
use crate::pillar::boxes::{self, BoxFolder, NewSlot, ReaderChange, Readers};
use crate::problem::{Problem, Result};
use crate::session::{KeyFiles, Vault};

#[derive(clap::Args, Debug)]
pub(super) struct ReaderAddArgs {
    /// What to call the reader: letters, digits, `.`, `_` and `-`
    name: String,
    /// The public key, `age1…` [default: the one in keys/NAME.pub]
    key: Option<String>,
    /// The box to open; may be given several times [default: pillar/]
    #[arg(long = "box", value_name = "FOLDER")]
    boxes: Vec<String>,
    #[command(flatten)]
    accept: Acceptance,
}

pub(super) fn run(args: &ReaderAddArgs, ctx: &Context) -> Result<Exit> {
    let name = ReaderName::parse(&args.name)?;
    let given = args.key.as_deref().map(Recipient::parse).transpose()?;
    let workspace = ctx.session.workspace()?;
    // A key that was given needs no question, so the lock can be held all the time.
    let mut vault = match &given {
        Some(_) => Vault::for_change(&ctx.session, &workspace)?,
        None => Vault::load(&ctx.session, &workspace)?,
    };
    let top = [BoxFolder::top().to_string()];
    let folders =
        super::named_boxes(&vault, if args.boxes.is_empty() { &top } else { args.boxes.as_slice() })?;
    let key = the_key(&vault, &name, given.as_ref())?;

    let (mut made, mut already) = (Vec::new(), Vec::new());
    for folder in &folders {
        let open = vault.open_box_to_change(folder)?;
        match open.readers().get(&name) {
            Some(found) if *found == key => already.push(folder),
            Some(_) => return Err(has_another(folder, &name).into()),
            None => {
                let mut readers = open.readers().clone();
                readers.insert(name.clone(), key.clone());
                made.push(boxes::rekey(&open, &readers, NewSlot::IfKeysGo)?);
            }
        }
    }
    if given.is_none() {
        let changes: Vec<(&BoxFolder, &ReaderChange)> =
            made.iter().map(|made| (made.open.folder(), &made.change)).collect();
        acceptance::ask(ctx, &args.accept, &changes, &Readers::from([(name.clone(), key.clone())]))?;
    }
    if given.is_none() {
        vault.lock()?;
    }
    if given.is_some() && vault.read(&KeyFiles::path(&name))?.is_none() {
        vault.put(&KeyFiles::path(&name), KeyFiles::text(&key));
    }
    for made in &made {
        vault.put_box(made);
    }
    vault.commit()?;
    for folder in already {
        ctx.out.say(format_args!("{name} could open {folder} already"));
    }
    for made in &made {
        ctx.out.say(format_args!("{name} can open {}", made.open.folder()));
    }
    if !made.is_empty() {
        ctx.out.say("who is added later can also open what older commits hold under the same slot");
    }
    Ok(Exit::Done)
}

/// The key that was given or stands in `keys/`; both, if they are the same.
fn the_key(vault: &Vault<'_>, name: &ReaderName, given: Option<&Recipient>) -> Result<Recipient> {
    let files = vault.key_files()?;
    match (given, files.get(name)?) {
        (Some(given), Some(found)) if given != found => {
            Err(Problem::failed(format!("{} holds another key", KeyFiles::path(name)))
                .cause(format!("given: {given}"))
                .cause(format!("found: {found}"))
                .hint(format!(
                    "for a second key of the same person choose another name, such as {name}-laptop; to replace the key, write it into {} and run: pillarbox reader rekey",
                    KeyFiles::path(name)
                ))
                .into())
        }
        (Some(key), _) | (None, Some(key)) => Ok(key.clone()),
        (None, None) => Err(Problem::usage(format!("there is no {}", KeyFiles::path(name)))
            .hint(format!("give the key, as 'pillarbox identity public' prints it: pillarbox reader add {name} 'age1…'"))
            .into()),
    }
}

fn has_another(folder: &BoxFolder, name: &ReaderName) -> Problem {
    Problem::failed(format!("{name} reads {folder} with another key")).hint(format!(
        "to replace it, write the new key into {} and run: pillarbox reader rekey",
        KeyFiles::path(name)
    ))
}
