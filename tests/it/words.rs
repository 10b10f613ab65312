//! The words of the project: those of `docs/glossary.md`, in short sentences that say who acts.

use crate::env::repository;
use std::fs;
use std::path::Path;

/// What is not written, and what to write instead.
const AVOIDED: &[(&str, &str)] = &[
    ("somebody", "say who, or use the passive"),
    ("nobody", "say who does not, or use the passive"),
    ("whoever", "say who: anyone who, the process that"),
    ("shall", "must, will, or the present tense"),
    ("thereby", "so, or nothing"),
    ("way back", "rollback, rolling back, undo"),
    ("taken back", "rolled back, undone"),
    ("none of ours", "not managed by pillarbox"),
    ("in a circle", "dependency cycle"),
    ("mistake of pillarbox", "a bug in pillarbox"),
    ("come to its end", "failed"),
];

/// Folders and files that have none of them.
const CLEAN: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "docs",
    "scripts",
    "src/compile",
    "src/compile.rs",
    "src/credential",
    "src/credential.rs",
    "src/desired",
    "src/desired.rs",
    "src/history.rs",
    "src/import",
    "src/import.rs",
    "src/interpreter",
    "src/interpreter.rs",
    "src/inventory",
    "src/inventory.rs",
    "src/keyring",
    "src/keyring.rs",
    "src/keys",
    "src/keys.rs",
    "src/lock",
    "src/lock.rs",
    "src/name",
    "src/name.rs",
    "src/pillar",
    "src/pillar.rs",
    "src/problem.rs",
    "src/script",
    "src/script.rs",
    "src/secret.rs",
    "src/state",
    "src/state.rs",
];

/// Where one of them is quoted: the file, and a part of the line.
const QUOTED: &[(&str, &str)] = &[];

#[test]
fn avoided_words_do_not_come_back() {
    let mut found = Vec::new();
    for place in CLEAN {
        for (file, text) in texts(&repository().join(place)) {
            found.extend(avoided(&file, &text));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn an_avoided_word_is_found_in_any_case_in_names_and_across_a_line_end() {
    for text in ["Nobody knows.", "fn what_nobody_knows() {}", "It is taken\n    /// back.", "whoever"] {
        assert_eq!(avoided("a.rs", text).len(), 1, "{text}");
    }
    for text in ["a shallow copy", "take it back", "circles"] {
        assert!(avoided("a.rs", text).is_empty(), "{text}");
    }
}

/// All text files of a folder, or the one that is named.
fn texts(path: &Path) -> Vec<(String, String)> {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
        return entries.flat_map(|path| texts(&path)).collect();
    }
    let name = path.strip_prefix(repository()).expect("in the repository").display().to_string();
    fs::read_to_string(path).map(|text| (name, text)).into_iter().collect()
}

/// What a text has that is not written, each with its line.
fn avoided(file: &str, text: &str) -> Vec<String> {
    let mut words: Vec<(usize, String)> = Vec::new();
    for (line, text) in text.lines().enumerate() {
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.extend(parts.map(|word| (line, word.to_lowercase())));
    }
    let is_quoted = |line: usize| {
        let line = text.lines().nth(line).unwrap_or_default();
        QUOTED.iter().any(|(of, part)| *of == file && line.contains(part))
    };
    let mut found = Vec::new();
    for (avoided, instead) in AVOIDED {
        let avoided: Vec<&str> = avoided.split(' ').collect();
        let hits = words.windows(avoided.len()).filter(|window| {
            window.iter().map(|(_, word)| word.as_str()).eq(avoided.iter().copied())
                && !is_quoted(window[0].0)
        });
        found.extend(
            hits.map(|window| {
                format!("{file}:{}: `{}`: write {instead}", window[0].0 + 1, avoided.join(" "))
            }),
        );
    }
    found
}
