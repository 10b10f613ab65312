//! `pillarbox man`.

use crate::cli::{Context, Exit};
use crate::problem::{Problem, Result};
use clap_mangen::Man;
use std::io::Write;

/// Print the manual page, every command included
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  pillarbox man > /usr/local/share/man/man1/pillarbox.1")]
pub(in crate::cli) struct ManArgs {}

pub(in crate::cli) fn run(_: &ManArgs, ctx: &Context) -> Result<Exit> {
    let page = page().map_err(|error| Problem::failed("could not write the page").because(&error))?;
    ctx.out.bytes(&page);
    Ok(Exit::Done)
}

/// One page: the program with its global options, each command with its own, the exit codes.
fn page() -> std::io::Result<Vec<u8>> {
    let mut command = crate::cli::command();
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    writeln!(page, ".SH COMMANDS")?;
    for one in command.get_subcommands() {
        write_command(&mut page, one)?;
    }
    writeln!(page, ".SH \"EXIT STATUS\"\n.nf")?;
    for line in crate::cli::exit::TABLE.lines().skip(1) {
        writeln!(page, "{}", escaped(line))?;
    }
    writeln!(page, ".fi")?;
    Ok(page)
}

/// A command with what below it can be given: its commands, arguments, options and examples.
fn write_command(page: &mut Vec<u8>, command: &clap::Command) -> std::io::Result<()> {
    if command.is_hide_set() || command.get_name() == "help" {
        return Ok(());
    }
    let own = |arg: &&clap::Arg| !arg.is_global_set() && !arg.is_hide_set() && arg.get_id() != "help";
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut synopsis = name.to_owned();
    for arg in command.get_arguments().filter(own) {
        let shown = usage(arg);
        synopsis.push_str(&if arg.is_required_set() { format!(" {shown}") } else { format!(" [{shown}]") });
    }
    writeln!(page, ".SS \"{}\"", escaped(&synopsis))?;
    if let Some(about) = command.get_long_about().or(command.get_about()) {
        writeln!(page, "{}", escaped(&about.to_string()))?;
    }
    for arg in command.get_arguments().filter(own) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(page, ".TP\n{}\n{}", escaped(&usage(arg)), escaped(&help))?;
    }
    if let Some(after) = command.get_after_help() {
        writeln!(page, ".P\n.nf\n{}\n.fi", escaped(&after.to_string()))?;
    }
    command.get_subcommands().try_for_each(|one| write_command(page, one))
}

/// `--host GLOB`, `[PLAN]` without its brackets.
fn usage(arg: &clap::Arg) -> String {
    let names: Vec<&str> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
    let takes = arg.get_action().takes_values();
    let value = if takes { names.join(" ") } else { String::new() };
    match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long} {value}").trim_end().to_owned(),
        (None, Some(short)) => format!("-{short} {value}").trim_end().to_owned(),
        (None, None) => value,
    }
}

/// Text that roff takes as text: no macro at the start of a line, no escape, dashes that can be copied.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('"', "\\(dq");
    let line = |line: &str| {
        if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
