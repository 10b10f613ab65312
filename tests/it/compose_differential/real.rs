//! Projects of the shapes that people have: those of `tests/compose`, a folder each.

use super::Generated;
use crate::env::{TestEnv, repository};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

/// Each by its folder; `variables.env` holds what `.env` would.
pub(super) fn projects() -> Vec<(String, Generated)> {
    let all = fs::read_dir(repository().join("tests/compose")).expect("the folder");
    let mut found = Vec::new();
    for folder in all {
        let folder = folder.expect("an entry").path();
        let files = crate::env::files_below(&folder).into_iter();
        let mut files: BTreeMap<String, String> = files
            .map(|(path, bytes)| (path.display().to_string(), String::from_utf8(bytes).expect("a text")))
            .collect();
        let variables = files.remove("variables.env").unwrap_or_default();
        let variables = variables.lines().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let named = vec!["compose.yaml".to_owned()];
        let files = files.into_iter().collect();
        found.push((name, Generated { files, named, profiles: Vec::new(), variables }));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

#[test]
fn which_projects_deploy_as_they_are_and_what_stops_the_others() {
    let mut said = String::new();
    for (name, project) in projects() {
        let env = TestEnv::initialised();
        let variables: String =
            project.variables.iter().map(|(name, value)| format!("{name} = '{value}'\n")).collect();
        env.write("pillar/p.toml", format!("[vars.p]\n{variables}"));
        for (path, text) in &project.files {
            env.write(path, text);
        }
        env.write(
            "pillarbox.toml",
            "workspace = \"shop\"\n[compose.p]\n[hosts.h]\nengine = \"ssh://a@h\"\npillar = [\"p\"]\ncompose = [\"p\"]\n",
        );
        let json = env.run(&["compose", "show", "--json"]).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let problems = json["error"]["problems"].as_array().cloned().unwrap_or_default();
        let what = problems.iter().filter_map(|problem| problem["what"].as_str());
        let what: Vec<&str> = what.collect();
        let kinds = [
            ("a path beside the file", "is a path of this machine"),
            ("built, without an image", "is built, not pulled"),
            ("a path in a home folder", "is a path in a home folder"),
            ("a secret in a file", "the value of the secret"),
        ];
        let mut stops: Vec<&str> = kinds
            .iter()
            .filter(|(_, text)| what.iter().any(|what| what.contains(text)))
            .map(|it| it.0)
            .collect();
        let other: Vec<&&str> =
            what.iter().filter(|what| !kinds.iter().any(|(_, text)| what.contains(text))).collect();
        stops.extend(other.into_iter().copied());
        let stops = if stops.is_empty() { "deploys".to_owned() } else { stops.join("; ") };
        let _ = writeln!(said, "| {name} | {stops} |");
    }
    let page = fs::read_to_string(repository().join("docs/compose.md")).expect("the page");
    let table = page.split("| project | as it is |\n|---|---|\n").nth(1).expect("the table");
    let table: String =
        table.lines().take_while(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    assert!(table == said, "docs/compose.md has another table; this one is true:\n{said}");
}
