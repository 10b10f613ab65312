//! `pillarbox doctor`: looks at everything that can be in the way, and says of each thing how to put it right.
//! It changes nothing, asks nothing and shows no secret.

mod boxes;
mod clients;
mod engines;
mod finding;
mod personal;
mod workspace;

use crate::cli::{Context, Exit};
use crate::problem::{Result, escaped};
use crate::session::Vault;
use finding::{Section, State};

/// Check keys, boxes, permissions, Engines and helpers, with a fix for each finding
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Ends with 1 if there is a problem; a note is something to know. Without a workspace only what is personal is
looked at. Nothing is changed.")]
pub(in crate::cli) struct DoctorArgs {
    /// Ask no Engine
    #[arg(long)]
    offline: bool,
}

pub(in crate::cli) fn run(args: &DoctorArgs, ctx: &Context) -> Result<Exit> {
    let found = workspace::find(ctx);
    let mut sections = vec![personal::identity(ctx), personal::permissions(ctx)];
    let vault = match &found {
        Ok(workspace) => Some(Vault::load_with_faults(&ctx.session, workspace)),
        Err(section) => {
            sections.push(section.clone());
            None
        }
    };
    match &vault {
        Some(Ok(vault)) => {
            sections.push(workspace::look(vault));
            sections.push(boxes::boxes(ctx, vault));
            sections.push(boxes::readers(vault));
            sections.push(boxes::credentials(vault));
            sections.push(engines::look(vault, args.offline));
        }
        Some(Err(problems)) => {
            let mut section = Section::new("workspace");
            section.problems(problems.clone());
            sections.push(section);
        }
        None => {}
    }
    sections.push(clients::look(ctx, vault.as_ref().and_then(|vault| vault.as_ref().ok())));
    sections.retain(|section| !section.findings.is_empty());

    let count = |state: State| sections.iter().map(|section| section.count(state)).sum::<usize>();
    let (problems, notes) = (count(State::Problem), count(State::Note));
    if ctx.out.json {
        ctx.out.object(&serde_json::json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "problems": problems,
            "notes": notes,
            "sections": sections.iter().map(Section::json).collect::<Vec<_>>(),
        }));
    } else {
        for section in &sections {
            ctx.out.data(section);
        }
        ctx.out.say(format_args!(
            "{}, {}",
            many(problems, "problem", "problems"),
            many(notes, "note", "notes")
        ));
    }
    Ok(if problems == 0 { Exit::Done } else { Exit::Failed })
}

/// A number of things.
fn many(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Readers of a box, for people.
fn names<'n>(all: impl IntoIterator<Item = &'n crate::name::ReaderName>) -> String {
    all.into_iter().map(|name| escaped(name.as_str())).collect::<Vec<_>>().join(", ")
}
