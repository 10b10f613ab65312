//! Help and usage errors on terminals of any width. clap breaks descriptions and leaves usage lines as long as
//! they are.

use super::output::layout::columns;
use anstream::adapter::strip_str;

/// What a line that goes on below begins with.
const INDENT: &str = "       ";

/// Breaks lines of styled text that are longer than `width` columns at their spaces.
pub(super) fn fit(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if shown(line.trim_end()) <= width {
            out.push_str(line);
            continue;
        }
        let words = line.trim_start();
        let before = &line[..line.len() - words.len()];
        let indent = if words.contains("Usage:") { INDENT } else { before };
        out.push_str(before);
        let mut used = before.len();
        for (at, word) in words.split(' ').enumerate() {
            let needs = shown(word.trim_end());
            if at > 0 && used > indent.len() && used + 1 + needs > width {
                out.push('\n');
                out.push_str(indent);
                used = indent.len();
            } else if at > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += needs;
        }
    }
    out
}

fn shown(text: &str) -> usize {
    columns(&strip_str(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The help of a command and of all below it, short and long, on a terminal of this width.
    fn helps(command: &clap::Command, width: usize) -> Vec<String> {
        let mut command = command.clone().term_width(width).max_term_width(width);
        let own = [command.render_help(), command.render_long_help()].map(|help| help.ansi().to_string());
        let below = command.get_subcommands().flat_map(|one| helps(one, width));
        own.into_iter().map(|help| fit(&help, width)).chain(below).collect()
    }

    #[test]
    fn the_help_of_every_command_fits_terminals_of_any_width() {
        let mut command = crate::cli::command();
        command.build();
        for width in [40, 60, 80, 200] {
            let all = helps(&command, width);
            assert!(all.len() > 60, "{}", all.len());
            for line in all.iter().flat_map(|help| help.lines()).map(|line| strip_str(line).to_string()) {
                let is_one_word = !line.trim().contains(' ');
                assert!(columns(&line) <= width || is_one_word, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_usage_line_goes_on_below_its_first_word() {
        let usage = "Usage: pillarbox merge-driver [OPTIONS] <BASE> <OURS> <THEIRS> <PATH>\n";
        assert_eq!(
            fit(usage, 40),
            "Usage: pillarbox merge-driver [OPTIONS]\n       <BASE> <OURS> <THEIRS> <PATH>\n"
        );
        assert_eq!(fit(usage, 80), usage);
        assert_eq!(fit("  \u{1b}[1mone two\u{1b}[0m three\n", 12), "  \u{1b}[1mone two\u{1b}[0m\n  three\n");
    }
}
