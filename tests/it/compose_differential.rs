//! Compose itself says what its files mean: the same projects are read by pillarbox and by Docker Compose 2.40, and what
//! differs is in a list, with its reason.
//!
//! `PILLARBOX_TEST_COMPOSE_CONFIG` is the program; `PILLARBOX_TEST_COMPOSE_PROJECTS` says how many projects of the grammar.

mod differences;
mod grammar;
mod normal;
mod real;

use crate::env::TestEnv;
use grammar::{Generated, Refused};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// Projects of the grammar that are compared unless the environment says another number.
const PROJECTS: u64 = 120;

/// Projects in one workspace.
const BATCH: usize = 200;

/// The oracle; `None` where it is not given, which is said aloud, and a failure in CI.
fn oracle() -> Option<String> {
    let found = std::env::var("PILLARBOX_TEST_COMPOSE_CONFIG").ok().filter(|value| !value.is_empty());
    if found.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "PILLARBOX_TEST_COMPOSE_CONFIG is not set in CI: run scripts/test"
        );
        // Not eprintln!, which the test runner swallows where a test passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: PILLARBOX_TEST_COMPOSE_CONFIG is not set (scripts/test sets it)"
        );
    }
    found
}

/// What each of them makes of a project.
struct Compared {
    ours: Result<Value, Vec<String>>,
    theirs: Result<Value, String>,
    /// A service has profiles.
    is_partly_off: bool,
}

impl Compared {
    /// What differs; `None` if nothing does, or only what is listed.
    fn difference(&self) -> Option<String> {
        match (&self.ours, &self.theirs) {
            (Err(_), Err(_)) => None,
            (Ok(ours), Ok(theirs)) => {
                let mut lines = Vec::new();
                diff("", ours, theirs, &mut lines);
                lines.retain(|line| !differences::is_accepted_in_tree(line));
                (!lines.is_empty()).then(|| lines.join("\n"))
            }
            (Err(ours), Ok(_)) => {
                let known = ours.iter().any(|said| differences::is_refused_here(said));
                (!known).then(|| format!("refused here alone:\n  {}", ours.join("\n  ")))
            }
            (Ok(_), Err(theirs)) => (!differences::is_taken_here(theirs, self.is_partly_off))
                .then(|| format!("refused by Compose alone: {theirs}")),
        }
    }
}

/// Lines that name the path and both values.
fn diff(path: &str, ours: &Value, theirs: &Value, lines: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let at = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                diff(&format!("{path}/{key}"), &at(one), &at(other), lines);
            }
        }
        _ if ours == theirs => {}
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        _ => lines.push(format!("{path}: ours {ours}, theirs {theirs}")),
    }
}

/// Reads each project with both.
fn compare(oracle: &str, projects: &[Generated]) -> Vec<Compared> {
    let env = TestEnv::initialised();
    let name = |index: usize| format!("p{index:04}");
    for (index, project) in projects.iter().enumerate() {
        let name = name(index);
        for (path, text) in &project.files {
            env.write(&format!("{name}/{path}"), text);
        }
        let lines = |by: &str| -> String {
            project.variables.iter().map(|(name, value)| format!("{name}{by}'{value}'\n")).collect()
        };
        env.write(&format!("{name}/.env"), lines("="));
        env.write(&format!("pillar/{name}.toml"), format!("[vars.{name}]\n{}", lines(" = ")));
    }
    let theirs = asked(&env, oracle, projects, &name);
    let mut refused: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    // What is refused keeps all the others from being shown.
    for _ in 0..10 {
        let mut inventory = "workspace = \"shop\"\n".to_owned();
        for (index, project) in projects.iter().enumerate().filter(|(index, _)| !refused.contains_key(index))
        {
            let name = name(index);
            let files: Vec<String> = project.named.iter().map(|path| format!("\"{name}/{path}\"")).collect();
            let _ = writeln!(
                inventory,
                "[compose.{name}]\nfiles = [{}]\nprofiles = {:?}\ndir = \"{}\"\n[hosts.{name}]\nengine = \"ssh://a@{name}\"\npillar = [\"{name}\"]\ncompose = [\"{name}\"]",
                files.join(", "),
                project.profiles,
                env.workspace().join(&name).display()
            );
        }
        env.write("pillarbox.toml", inventory);
        if refused.len() == projects.len() {
            break;
        }
        let out = env.run(&["compose", "show", "--json"]);
        let json: Value = serde_json::from_str(&out.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", out.stdout, out.stderr));
        let Some(problems) = json["error"]["problems"].as_array() else {
            let all = json["projects"].as_array().cloned().unwrap_or_default();
            let config =
                |name: &str| all.iter().find(|one| one["name"] == name).map(|one| one["config"].clone());
            let both = theirs.into_iter().enumerate().map(|(index, theirs)| {
                let name = name(index);
                let files = &projects[index].files;
                let theirs = theirs.map(|config| normal::theirs(config, &name, files));
                let ours = match refused.remove(&index) {
                    Some(said) => Err(said),
                    None => Ok(normal::ours(config(&name).unwrap_or_else(|| panic!("{name} is not shown")))),
                };
                Compared { ours, theirs, is_partly_off: projects[index].is_partly_off() }
            });
            return both.collect();
        };
        for problem in problems {
            let file = problem["place"]["file"].as_str().unwrap_or_default();
            let index = file.strip_prefix('p').and_then(|rest| rest.get(..4)?.parse::<usize>().ok());
            let index = index.unwrap_or_else(|| panic!("of which project is {problem:#}"));
            refused.entry(index).or_default().push(format!("{}: {}", problem["place"], problem["what"]));
        }
    }
    let both = theirs.into_iter().enumerate().map(|(index, theirs)| Compared {
        ours: Err(refused.remove(&index).unwrap_or_default()),
        theirs: theirs.map(|config| normal::theirs(config, &name(index), &projects[index].files)),
        is_partly_off: projects[index].is_partly_off(),
    });
    both.collect()
}

/// What the oracle says, some at a time.
fn asked(
    env: &TestEnv,
    oracle: &str,
    projects: &[Generated],
    name: &(impl Fn(usize) -> String + Sync),
) -> Vec<Result<Value, String>> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let answers = std::sync::Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(project) = projects.get(index) else { break };
                    let name = name(index);
                    let mut arguments = vec!["-p", &name];
                    project.named.iter().for_each(|path| arguments.extend(["-f", path]));
                    project.profiles.iter().for_each(|profile| arguments.extend(["--profile", profile]));
                    arguments.extend(["config", "--format", "json"]);
                    let run = env.program(oracle, &arguments).within(env.workspace().join(&name));
                    let out = run.run();
                    let answer = match out.code {
                        0 => Ok(serde_json::from_str(&out.stdout).expect("JSON of Compose")),
                        _ => Err(out.stderr.clone()),
                    };
                    answers.lock().expect("no other one failed").insert(index, answer);
                }
            });
        }
    });
    answers.into_inner().expect("no other one failed").into_values().collect()
}

/// Fails with what differs, of at most so many.
fn report(found: &[(String, String)]) {
    let shown: Vec<String> =
        found.iter().take(40).map(|(what, difference)| format!("=== {what}\n{difference}")).collect();
    assert!(found.is_empty(), "{} differ\n{}", found.len(), shown.join("\n"));
}

#[test]
fn generated_projects_mean_what_compose_says_they_mean() {
    let Some(oracle) = oracle() else { return };
    let singles = Generated::singles();
    let (forms, projects): (Vec<_>, Vec<_>) = singles.into_iter().unzip();
    let mut found = Vec::new();
    let mut refused = Refused::new();
    for (forms, projects) in forms.chunks(BATCH).zip(projects.chunks(BATCH)) {
        for (form, compared) in forms.iter().zip(compare(&oracle, projects)) {
            if compared.ours.is_err() || compared.theirs.is_err() {
                refused.insert(*form);
            }
            found.extend(
                compared.difference().map(|difference| (format!("{}: {}", form.0, form.1), difference)),
            );
        }
    }
    report(&found);
    let wanted = std::env::var("PILLARBOX_TEST_COMPOSE_PROJECTS").ok().and_then(|text| text.parse().ok());
    let seeds: Vec<u64> = (1..=wanted.unwrap_or(PROJECTS)).collect();
    let (mut files, mut agreed) = (projects.len(), 0);
    for seeds in seeds.chunks(BATCH) {
        let projects: Vec<Generated> = seeds.iter().map(|seed| Generated::new(*seed, &refused)).collect();
        files += projects.iter().map(Generated::compose_files).sum::<usize>();
        for ((seed, project), compared) in seeds.iter().zip(&projects).zip(compare(&oracle, &projects)) {
            agreed += usize::from(compared.ours.is_ok() && compared.theirs.is_ok());
            found.extend(
                compared
                    .difference()
                    .map(|difference| (format!("seed {seed}"), format!("{difference}\n{}", project.shown()))),
            );
        }
    }
    report(&found);
    let _ = writeln!(
        std::io::stderr(),
        "{files} files of Compose, {agreed} of {} projects read by both",
        seeds.len()
    );
    assert!(agreed * 3 > seeds.len(), "of {} projects only {agreed} are read by both", seeds.len());
}

#[test]
fn every_difference_is_there() {
    let Some(oracle) = oracle() else { return };
    let of = |case: &differences::Difference| Generated::single(case.case);
    let here: Vec<Generated> = differences::REFUSED_HERE.iter().map(of).collect();
    for (difference, compared) in differences::REFUSED_HERE.iter().zip(compare(&oracle, &here)) {
        let (said, case) = (difference.said, difference.case);
        assert!(compared.theirs.is_ok(), "Compose refuses `{case}` too: {:?}", compared.theirs);
        let ours = compared.ours.expect_err(case);
        assert!(
            ours.iter().any(|ours| ours.contains(said)),
            "`{case}` is refused with {ours:?}, not with `{said}`"
        );
        assert!(!difference.why.is_empty(), "why {case}?");
    }
    let taken = || differences::TAKEN_HERE.iter().chain(&differences::TAKEN_OFF);
    let there: Vec<Generated> = taken().map(of).collect();
    for (difference, compared) in taken().zip(compare(&oracle, &there)) {
        let (said, case) = (difference.said, difference.case);
        assert!(compared.ours.is_ok(), "`{case}` is refused here: {:?}", compared.ours);
        let theirs = compared.theirs.expect_err(case);
        assert!(theirs.contains(said), "Compose refuses `{case}` with {theirs}, not with `{said}`");
        assert!(!difference.why.is_empty(), "why {case}?");
    }
}

#[test]
fn projects_as_people_have_them_mean_what_compose_says_they_mean() {
    let Some(oracle) = oracle() else { return };
    let (names, projects): (Vec<String>, Vec<Generated>) = real::projects().into_iter().unzip();
    assert!(projects.len() >= 28, "{} projects", projects.len());
    let mut found = Vec::new();
    let mut read = 0;
    for (name, compared) in names.into_iter().zip(compare(&oracle, &projects)) {
        read += usize::from(compared.ours.is_ok());
        found.extend(compared.difference().map(|difference| (name, difference)));
    }
    report(&found);
    assert!(read >= 25, "only {read} of them are read here");
}
