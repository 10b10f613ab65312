//! The difference of two texts, as `diff -u` prints it: lines that go and come with some that stay around them.

use std::fmt::Write as _;

/// Lines that stay and are shown before and after those that differ.
const CONTEXT: usize = 3;

/// Lines that are shown at most, and characters of each.
const MOST_LINES: usize = 120;
const MOST_CHARACTERS: usize = 300;

/// Pairs of lines that are compared at most; beyond it everything between the first and the last difference goes and
/// comes.
const MOST_PAIRS: usize = 4_000_000;

/// A line of the one text, of the other, or of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'t> {
    Stays(&'t str),
    Goes(&'t str),
    Comes(&'t str),
}

/// The difference; empty where there is none.
pub(super) fn unified(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(old), lines(new));
    let all = compared(&old, &new);
    let mut shown = vec![false; all.len()];
    for (at, _) in all.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Stays(_))) {
        let (from, to) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(all.len()));
        shown[from..to].fill(true);
    }
    let (mut out, mut count) = (String::new(), 0);
    let (mut in_old, mut in_new) = (0, 0);
    let mut at = 0;
    while at < all.len() {
        if !shown[at] {
            in_old += 1;
            in_new += 1;
            at += 1;
            continue;
        }
        let end = shown[at..].iter().position(|shown| !shown).map_or(all.len(), |length| at + length);
        let hunk = &all[at..end];
        let olds = hunk.iter().filter(|line| !matches!(line, Line::Comes(_))).count();
        let news = hunk.iter().filter(|line| !matches!(line, Line::Goes(_))).count();
        let _ = writeln!(out, "@@ -{} +{} @@", range(in_old, olds), range(in_new, news));
        for line in hunk {
            if count == MOST_LINES {
                let differ = all[at..].iter().filter(|line| !matches!(line, Line::Stays(_))).count();
                let _ = writeln!(out, "… {differ} more lines differ");
                return out;
            }
            let (sign, text) = match line {
                Line::Stays(text) => (' ', text),
                Line::Goes(text) => ('-', text),
                Line::Comes(text) => ('+', text),
            };
            let _ = writeln!(out, "{sign}{}", cut(text));
            count += 1;
            at += 1;
        }
        in_old += olds;
        in_new += news;
    }
    out
}

/// Whether bytes are a text that can be shown.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    (!text.contains(odd)).then_some(text)
}

/// The lines of a text; that the last one does not end is said as `diff` says it.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    match lines.pop() {
        Some("") | None => {}
        Some(last) => {
            lines.push(last);
            lines.push("\\ No newline at end of file");
        }
    }
    lines
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// As `diff` writes it: the first line and how many, one is left out.
fn range(before: usize, lines: usize) -> String {
    match lines {
        0 => format!("{before},0"),
        1 => format!("{}", before + 1),
        lines => format!("{},{lines}", before + 1),
    }
}

/// Every line of both, in order.
fn compared<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let first = old.iter().zip(new).take_while(same).count();
    let (old_rest, new_rest) = (&old[first..], &new[first..]);
    let last = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(same).count();
    let (a, b) = (&old_rest[..old_rest.len() - last], &new_rest[..new_rest.len() - last]);
    let mut all: Vec<Line<'_>> = old[..first].iter().copied().map(Line::Stays).collect();
    if a.len().saturating_mul(b.len()) > MOST_PAIRS {
        all.extend(a.iter().copied().map(Line::Goes));
        all.extend(b.iter().copied().map(Line::Comes));
    } else {
        all.extend(longest_common(a, b));
    }
    all.extend(old_rest[old_rest.len() - last..].iter().copied().map(Line::Stays));
    all
}

/// The longest common subsequence of lines stays.
fn longest_common<'t>(a: &[&'t str], b: &[&'t str]) -> Vec<Line<'t>> {
    let width = b.len() + 1;
    // How many lines stay of the rests that begin here.
    let mut stay = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            stay[i * width + j] = match a[i] == b[j] {
                true => stay[(i + 1) * width + j + 1] + 1,
                false => stay[(i + 1) * width + j].max(stay[i * width + j + 1]),
            };
        }
    }
    let (mut all, mut i, mut j) = (Vec::with_capacity(a.len() + b.len()), 0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            all.push(Line::Stays(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && stay[(i + 1) * width + j] >= stay[i * width + j + 1]) {
            all.push(Line::Goes(a[i]));
            i += 1;
        } else {
            all.push(Line::Comes(b[j]));
            j += 1;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    #[test]
    fn a_line_that_changes_is_shown_with_three_around_it() {
        let old: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 10\n", "line ten\n").replace("line 20\n", "");
        let expected = "@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+line ten\n line 11\n line 12\n line 13\n\
                        @@ -17,4 +17,3 @@\n line 17\n line 18\n line 19\n-line 20\n";
        assert_eq!(unified(&old, &new), expected);
        assert_eq!(unified(&old, &old), "");
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let old: String = (0..500).map(|n| format!("old {n}\n")).collect();
        let new: String = (0..500).map(|n| format!("new {n}\n")).collect();
        let shown = unified(&old, &new);
        assert_eq!(shown.lines().count(), MOST_LINES + 2);
        assert!(shown.ends_with(&format!("… {} more lines differ\n", 1000 - MOST_LINES)), "{shown}");
        let line = unified("", &"x".repeat(1000));
        assert!(line.contains('…') && line.len() < 500, "{line}");
    }

    #[test]
    fn bytes_that_a_terminal_would_obey_are_no_text() {
        assert!(text(b"a\tb\r\nc").is_some() && text("é".as_bytes()).is_some() && text(b"").is_some());
        assert!(text(b"\x1b[2J").is_none() && text(b"a\0").is_none() && text(b"\xff").is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn patch_makes_the_new_text_of_the_old_one(
            old in prop::collection::vec("[abc]{0,2}", 0..30),
            new in prop::collection::vec("[abc]{0,2}", 0..30),
        ) {
            let whole = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let (old, new) = (whole(&old), whole(&new));
            let folder = tempfile::tempdir().expect("a folder");
            let (file, patch) = (folder.path().join("f"), folder.path().join("p"));
            std::fs::write(&file, &old).expect("written");
            let diff = unified(&old, &new);
            if diff.is_empty() {
                prop_assert_eq!(old, new);
                return Ok(());
            }
            std::fs::write(&patch, format!("--- f\n+++ f\n{diff}")).expect("written");
            let done = Command::new("git").args(["apply", "--unidiff-zero", "p"]).current_dir(folder.path())
                .env("GIT_CEILING_DIRECTORIES", folder.path().parent().expect("a parent")).output().expect("git runs");
            prop_assert!(done.status.success(), "{}\n{}", diff, String::from_utf8_lossy(&done.stderr));
            prop_assert_eq!(std::fs::read_to_string(&file).expect("read"), new);
        }
    }
}
