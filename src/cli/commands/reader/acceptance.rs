//! Showing keys that come and go, and having them accepted: anyone who can write to `keys/` may have put in
//! a key of their own.

use crate::cli::Context;
use crate::pillar::boxes::{BoxFolder, ReaderChange, Readers, fingerprint};
use crate::problem::{Code, Problem, Result};

/// How readers are accepted without a terminal.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Acceptance {
    /// Accept the readers whose fingerprint was shown
    #[arg(long, value_name = "FINGERPRINT")]
    accept_readers: Option<String>,
}

/// Shows what changes in which box, and asks. `to` are the readers with the keys that are accepted.
///
/// # Errors
/// [`Code::Declined`] where they are not accepted; [`Code::Seal`] where others were.
pub(in crate::cli) fn ask(
    ctx: &Context,
    args: &Acceptance,
    changes: &[(&BoxFolder, &ReaderChange)],
    to: &Readers,
) -> Result<()> {
    if changes.iter().all(|(_, change)| change.is_empty()) {
        return Ok(());
    }
    let shown = fingerprint(to);
    if let Some(given) = &args.accept_readers {
        if *given == shown {
            return Ok(());
        }
        return Err(Problem::new(Code::Seal, "these are not the readers that were accepted")
            .cause(format!("accepted: {}", crate::problem::escaped(given)))
            .cause(format!("found:    {shown}"))
            .hint("run the command without --accept-readers to see the keys, and compare them with their owners")
            .into());
    }
    for (folder, change) in changes.iter().filter(|(_, change)| !change.is_empty()) {
        ctx.out.stderr(format_args!("{folder}\n"));
        for (name, key) in &change.gone {
            ctx.out.stderr(format_args!("  - {name}  {key}\n"));
        }
        for (name, key) in &change.come {
            ctx.out.stderr(format_args!("  + {name}  {key}\n"));
        }
    }
    ctx.out.stderr(format_args!("fingerprint of the readers: {shown}\n"));
    if !ctx.terminal.stdin || !ctx.terminal.stderr {
        return Err(Problem::new(Code::Declined, "the keys of the readers must be accepted")
            .cause("anyone who can write to keys/ may have put in their own key")
            .hint(format!(
                "compare them with their owners, then add to the command: --accept-readers {shown}"
            ))
            .into());
    }
    ctx.console.confirm("Are these the keys of these people?")
}
