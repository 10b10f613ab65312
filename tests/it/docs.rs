//! The documentation, run and followed.

use crate::env::{TestEnv, repository};
use crate::pages;
use std::fs;

#[test]
fn every_command_of_the_documentation_that_needs_no_engine_works() {
    let mut done = 0;
    for page in pages::pages() {
        done += pages::perform(&page, &mut TestEnv::new(), &[], false);
    }
    assert!(done > 10, "only {done} commands were found: has the convention of tests/it/pages.rs changed?");
}

#[test]
fn every_link_to_a_file_of_the_repository_leads_somewhere() {
    let mut wrong = Vec::new();
    for page in pages::pages() {
        let text = fs::read_to_string(&page).expect("a page");
        // What is code is no link: `salt["pillar.get"]("a")`.
        let code: Vec<&str> = text.split('`').collect();
        let text: String = code.iter().step_by(2).copied().collect();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !page.with_file_name("").join(file).exists() {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_linked_from_the_readme() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("README.md");
    for page in pages::pages() {
        let name = page.strip_prefix(repository()).expect("a page of the repository").display().to_string();
        assert!(
            name == "README.md" || readme.contains(&format!("({name})")),
            "README.md does not link {name}"
        );
    }
}

#[test]
fn the_example_workspace_of_the_repository_is_sound_without_a_key() {
    let env = TestEnv::new();
    for part in ["pillarbox.toml", "pillar", "keys", "states"] {
        env.copy_from_repository(part);
    }
    env.run(&["--no-identity", "verify"]).ok();
    env.run(&["--no-identity", "compile"]).ok().says("nginx");
}

#[test]
fn every_file_that_the_architecture_names_exists() {
    let text = fs::read_to_string(repository().join("docs/architecture.md")).expect("the page");
    let (_, table) = text.split_once("\n## Where to change what\n").expect("the table");
    let named =
        table.split('`').skip(1).step_by(2).filter(|name| name.contains('/') || name.ends_with(".rs"));
    let missing: Vec<&str> = named
        .filter(|name| !repository().join("src").join(name).exists() && !repository().join(name).exists())
        .collect();
    assert!(missing.is_empty(), "docs/architecture.md names {missing:?}");
}
