//! Conflicts that git left in a file: its markers stand at the beginning of lines
//! (gitformat: `git merge`, "How conflicts are presented").

use super::{Place, Problem, Result, escaped, quoted};

const OURS: &str = "<<<<<<<";
const MIDDLE: &str = "=======";
const THEIRS: &str = ">>>>>>>";

/// Whether a line is one of git's markers, without its end.
pub fn is_marker(line: &str) -> bool {
    let line = line.trim_end();
    let begins =
        |marker: &str| line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    line == MIDDLE || begins(OURS) || begins(THEIRS) || begins("|||||||")
}

/// To be asked before a file is parsed: a conflict inside of a text of several lines is no error of the syntax.
/// `file` is relative to the workspace.
///
/// # Errors
/// Where all three markers stand in their order; with the first and the last line.
pub fn check(file: &str, text: &str) -> Result<()> {
    if !text.contains(OURS) {
        return Ok(());
    }
    let lines = || (1_u32..).zip(text.lines()).filter(|(_, line)| is_marker(line));
    let Some((first, ours)) = lines().find(|(_, line)| line.starts_with(OURS)) else { return Ok(()) };
    let is_divided = lines().any(|(at, line)| at > first && line.trim_end() == MIDDLE);
    let last = lines().find(|(at, line)| *at > first && line.starts_with(THEIRS));
    let (true, Some((last, theirs))) = (is_divided, last) else { return Ok(()) };
    let side = |line: &str| escaped(line.get(OURS.len()..).unwrap_or_default().trim());
    let count = lines().filter(|(_, line)| line.starts_with(OURS)).count();
    let mut problem = unresolved(file, first).cause(format!(
        "lines {first} to {last}: `{}` and `{}` changed the same lines",
        side(ours),
        side(theirs)
    ));
    if count > 1 {
        problem = problem.cause(format!("it has {count} such conflicts"));
    }
    Err(problem.into())
}

/// The problem of a line that could not be parsed, where it is a marker that was left over.
pub fn left_over(file: &str, text: &str, line: u32) -> Option<Problem> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let marker = text.lines().nth(at).filter(|line| is_marker(line))?;
    Some(unresolved(file, line).cause(format!("`{}` is a marker of git", escaped(marker.trim_end()))))
}

fn unresolved(file: &str, line: u32) -> Problem {
    let mut problem =
        Problem::failed("git left a conflict here that is not resolved").at(&Place::new(file, line));
    let in_pillar = file.starts_with("pillar/");
    if in_pillar && file.ends_with("/box.toml") {
        problem = problem.hint("join the locks of both branches: pillarbox reader rekey --also MERGE_HEAD");
    } else if in_pillar {
        problem = problem.hint(format!(
            "merge it by key, with the merge driver that 'pillarbox init' names: git checkout --merge -- {}",
            quoted(file)
        ));
    }
    problem
        .hint(format!(
            "or take the whole file as it is on your side: git checkout --ours -- {}",
            quoted(file)
        ))
        .hint(format!("or as it is on the other side: git checkout --theirs -- {}", quoted(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_found_where_all_markers_stand_and_nowhere_else() {
        let conflict = "a = 1\n<<<<<<< HEAD\nb = 1\n=======\nb = 2\n>>>>>>> feature\n";
        for text in [conflict.to_owned(), conflict.replace('\n', "\r\n"), format!("t = '''\n{conflict}'''\n")]
        {
            let said = check("pillar/apps.toml", &text).expect_err("a conflict").iter().next().cloned();
            let said = said.expect("one");
            assert!(said.to_string().starts_with("pillar/apps.toml:"), "{said}");
            assert!(said.causes[0].contains("`HEAD` and `feature`"), "{:?}", said.causes);
            assert!(
                said.hints.iter().any(|hint| hint.contains("git checkout --theirs -- 'pillar/apps.toml'")
                    || hint.contains("git checkout --theirs -- pillar/apps.toml"))
            );
        }
        for text in
            ["", "a = '''\nTitle\n=======\n'''\n", "a = '<<<<<<< x'\n", "# <<<<<<< a\n=======\n>>>>>>> b\n"]
        {
            assert!(check("a.toml", text).is_ok(), "{text}");
        }
        assert!(left_over("a.toml", "a = 1\n=======\n", 2).is_some());
        assert!(left_over("a.toml", "a = 1\n========\n", 2).is_none());
    }
}
