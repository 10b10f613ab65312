//! `pillarbox man`.

use crate::cli::{Context, Exit};
use crate::problem::{Problem, Result};
use clap_mangen::Man;

/// Print the manual page, every command included
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  pillarbox man > /usr/local/share/man/man1/pillarbox.1")]
pub(in crate::cli) struct Args {}

pub(in crate::cli) fn run(_: &Args, ctx: &Context) -> Result<Exit> {
    let page = page().map_err(|error| Problem::failed("could not write the page").because(&error))?;
    ctx.out.bytes(&page);
    Ok(Exit::Done)
}

/// One page: the program, then each command with its synopsis and options.
fn page() -> std::io::Result<Vec<u8>> {
    let mut command = crate::cli::command();
    command.build();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    for one in command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help") {
        let man = Man::new(one.clone());
        page.extend_from_slice(format!(".SH \"PILLARBOX {}\"\n", one.get_name().to_uppercase()).as_bytes());
        man.render_description_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
    }
    Ok(page)
}
