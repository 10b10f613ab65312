//! `pillarbox edit FILE`: a whole file in an editor, secrets in clear.
//!
//! The plaintext is in a folder in memory that only this user can enter, and is wiped however this
//! ends: by the editor's end, by an error, by Ctrl-C, SIGTERM or a hang-up. The workspace is not locked
//! while a person types.

mod buffer;
mod editor;
mod session;

use crate::cli::{Context, Exit};
use crate::problem::{Problem, Result};
use crate::store::Scratch;
use editor::Editor;
use std::path::Path;

/// Edit a pillar file with its secrets in clear; what changed is sealed again
#[derive(clap::Args, Debug)]
#[command(
    after_help = "A secret is written { secret = \"…\" }; write one for a new secret. The editor is that of \
                        VISUAL or EDITOR, else vi on a terminal. One with windows has to wait: EDITOR='code --wait'."
)]
pub(in crate::cli) struct EditArgs {
    /// File below pillar/, `.toml` optional; it may be a new one
    file: String,
    /// Keep the plaintext on a disk if there is no folder in memory
    #[arg(long)]
    on_disk: bool,
}

pub(in crate::cli) fn run(args: &EditArgs, ctx: &Context) -> Result<Exit> {
    let below = args.file.strip_prefix("pillar/").unwrap_or(&args.file);
    let file = crate::pillar::document::file_name(below)?;
    let editor = Editor::of(ctx)?;
    let runtime_dir =
        ctx.session.env.personal.runtime_dir.as_ref().map(Path::new).filter(|path| path.is_absolute());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Problem::failed("could not start").because(&error))?;
    let result = runtime.block_on(async {
        let scratch = || match Scratch::new(runtime_dir) {
            Err(_) if args.on_disk => Scratch::on_disk(&std::env::temp_dir()),
            Err(problems) => Err(problems.map(|problem| {
                problem.hint("to keep the plaintext on a disk: pillarbox edit --on-disk FILE")
            })),
            made => made,
        };
        session::run(ctx, &file, &editor, scratch).await
    });
    // A question without an answer may still wait for its line.
    runtime.shutdown_background();
    result
}
