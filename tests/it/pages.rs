//! Runs the commands of a page of documentation, so that a page cannot go out of date unnoticed.
//!
//! | in the page | is |
//! |---|---|
//! | a ```` ```console ```` block | every line that begins with `$ ` is run by `sh`, the others show output and are not compared |
//! | `$ command   # exit 7` | it must end with that code (0 where nothing is said) |
//! | `$ cd FOLDER` | later commands run there |
//! | `<!-- file: PATH -->` before a block | the block is written to that file |
//! | `<!-- engine -->` before a console block | it is run only where an Engine is given |
//! | `<!-- not run: REASON -->` before a console block | it is not run |
//! | `<!-- run: COMMAND -->` | is run, and readers do not see it |
//! | `<!-- engine run: COMMAND -->` | the same, only where an Engine is given |
//!
//! A page starts in an empty folder of its own, with a home of its own.

use crate::env::{TestEnv, repository};
use std::fs;
use std::path::{Path, PathBuf};

/// One thing to do, with the line of the page where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A command and its exit code.
    Command { line: usize, text: String, code: i32, engine: bool },
    /// A file and its text.
    File { line: usize, path: String, text: String },
}

/// Every page: those beside `Cargo.toml` and `docs/`.
pub(crate) fn pages() -> Vec<PathBuf> {
    let mut pages =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| repository().join(page)).to_vec();
    for entry in fs::read_dir(repository().join("docs")).expect("docs/") {
        let path = entry.expect("an entry of docs/").path();
        if path.extension().is_some_and(|ending| ending == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

/// What a page asks to do.
pub(crate) fn deeds(page: &str) -> Vec<Deed> {
    let mut deeds = Vec::new();
    let mut lines = page.lines().enumerate().map(|(at, line)| (at + 1, line));
    let mut mark = String::new();
    while let Some((line, text)) = lines.next() {
        if let Some(comment) = text.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) {
            let comment = comment.trim();
            match comment.split_once("run:") {
                Some((kind @ ("" | "engine "), command)) => {
                    deeds.push(command_of(line, command, kind == "engine "));
                }
                _ => comment.clone_into(&mut mark),
            }
            continue;
        }
        if text.trim().is_empty() {
            continue;
        }
        let Some(language) = text.trim_start().strip_prefix("```") else {
            mark.clear();
            continue;
        };
        let body: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, text)| text.trim() != "```").collect();
        if let Some(path) = mark.strip_prefix("file:") {
            let text: String = body.iter().map(|(_, line)| format!("{line}\n")).collect();
            deeds.push(Deed::File { line, path: path.trim().to_owned(), text });
        } else if language == "console" && !mark.starts_with("not run:") {
            let before = deeds.len();
            let commands = body.iter().filter_map(|(line, text)| Some((*line, text.strip_prefix("$ ")?)));
            deeds.extend(commands.map(|(line, text)| command_of(line, text, mark == "engine")));
            assert!(deeds.len() > before, "line {line}: a console block without a command");
        }
        mark.clear();
    }
    deeds
}

fn command_of(line: usize, text: &str, engine: bool) -> Deed {
    let (text, code) = match text.rsplit_once("# exit ") {
        Some((text, code)) => {
            (text, code.trim().parse().unwrap_or_else(|_| panic!("line {line}: exit {code}?")))
        }
        None => (text, 0),
    };
    Deed::Command { line, text: text.trim().to_owned(), code, engine }
}

/// Does everything that a page asks for. `replaced` are texts of the page and what stands for them
/// here (an address of a registry); `engine` says whether commands that need one are run.
pub(crate) fn perform(path: &Path, env: &mut TestEnv, replaced: &[(&str, &str)], engine: bool) -> usize {
    let binary = Path::new(env!("CARGO_BIN_EXE_pillarbox"));
    env.path_first(binary.parent().expect("the folder of the binary"));
    let mut page = fs::read_to_string(path).expect("a page");
    for (text, by) in replaced {
        page = page.replace(text, by);
    }
    let shown = path.strip_prefix(repository()).expect("a path of the repository").display();
    let mut folder = env.workspace();
    let mut done = 0;
    for deed in deeds(&page) {
        match deed {
            Deed::File { path, text, .. } => {
                let path = folder.join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("folders of the workspace");
                fs::write(path, text).expect("a file of the page");
            }
            Deed::Command { engine: true, .. } if !engine => {}
            Deed::Command { line, text, code, .. } => {
                if let Some(target) = text.strip_prefix("cd ") {
                    folder = folder.join(target.trim());
                    assert!(folder.is_dir(), "{shown}:{line}: there is no folder {}", folder.display());
                    continue;
                }
                let output = env.program("sh", &["-c", &text]).within(&folder).run();
                assert!(
                    output.code == code,
                    "{shown}:{line}: ended with {} and not {code}\n{output}",
                    output.code
                );
                done += 1;
            }
        }
    }
    done
}

#[test]
fn blocks_comments_and_exit_codes_of_a_page_are_understood() {
    let page = "text\n<!-- file: a/b.toml -->\n```toml\nx = 1\n```\n```console\n$ pillarbox plan  # exit 2\n+ a\n$ cd shop\n```\n\
                <!-- engine -->\n\n```console\n$ pillarbox apply -y\n```\n<!-- not run: a terminal -->\n```console\n$ no\n```\n\
                <!-- run: true -->\n<!-- engine run: false # exit 1 -->\n```toml\n$ no\n```\n";
    let command =
        |line, text: &str, code, engine| Deed::Command { line, text: text.to_owned(), code, engine };
    assert_eq!(
        deeds(page),
        [
            Deed::File { line: 3, path: "a/b.toml".to_owned(), text: "x = 1\n".to_owned() },
            command(7, "pillarbox plan", 2, false),
            command(9, "cd shop", 0, false),
            command(14, "pillarbox apply -y", 0, true),
            command(20, "true", 0, false),
            command(21, "false", 1, true),
        ]
    );
}
