//! The layers of `src/lib.rs`, held by reading the source: who names whom, and who touches the world.

use crate::env::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A path as it stands in code, `use` groups taken apart: `std::fs::read`, and its line.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    path: Vec<String>,
    line: usize,
}

/// One file of `src/`, without comments, texts and unit tests.
struct Source {
    /// `engine/docker/pull`, relative to `src/`, without the ending.
    file: String,
    names: Vec<Named>,
    code: String,
}

impl Source {
    fn module(&self) -> &str {
        self.file.split('/').next().expect("a module")
    }
}

#[test]
fn every_module_uses_only_its_own_layer_and_lower_ones_without_a_cycle() {
    let layers = layers();
    let mut wrong = Vec::new();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let Some(own) = layers.get(source.module()) else {
            wrong.push(format!("src/{}.rs: `{}` is in no layer of src/lib.rs", source.file, source.module()));
            continue;
        };
        for (module, line) in modules_named_by(&source, &layers) {
            if layers[&module] > *own {
                wrong.push(format!(
                    "src/{}.rs:{line}: layer {own} names `{module}` of layer {}",
                    source.file, layers[&module]
                ));
            }
            if module != source.module() {
                uses.entry(source.module().to_owned()).or_default().insert(module);
            }
        }
    }
    if let Some(cycle) = cycle(&uses) {
        wrong.push(format!("modules use each other in a circle: {}", cycle.join(" → ")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Folders of `src/` in which no files name each other in a circle.
const WITHOUT_CIRCLES: &[&str] = &["check", "name", "observed", "plan", "planner", "state"];

#[test]
fn no_files_of_these_folders_name_each_other_in_a_circle() {
    let sources = sources();
    let house = House::of(&sources);
    for folder in WITHOUT_CIRCLES {
        let uses = house.uses_within(folder, &sources);
        assert!(uses.len() > 1, "src/{folder} was not found");
        if let Some(cycle) = cycle(&uses) {
            panic!("files of src/{folder} use each other in a circle: {}", cycle.join(" → "));
        }
    }
}

/// What the planner decides is explained, and both are lowered to steps: one direction. Nothing that is decided
/// or done depends on why.
#[test]
fn the_planner_decides_then_explains_then_lowers() {
    let sources = sources();
    let house = House::of(&sources);
    let room =
        |file: &str| ROOMS.iter().position(|room| file == *room || file.starts_with(&format!("{room}/")));
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.module() == "planner") {
        let own = room(&source.file);
        for named in &source.names {
            let file = house.file_named(&source.file, &named.path);
            let other = file.and_then(room);
            let back = match (own, other) {
                (Some(own), Some(other)) => other > own,
                // What all rooms look at knows none of them.
                (None, Some(_)) => SHARED.contains(&source.file.as_str()),
                (Some(_), None) => file == Some("planner"),
                (None, None) => false,
            };
            let path = named.path.join("::");
            if back {
                wrong.push(format!("src/{}.rs:{}: {path} leads back", source.file, named.line));
            }
            let cause = named.path.iter().position(|part| part == "Cause");
            let branches = cause.is_some_and(|at| own == Some(0) || at + 1 < named.path.len());
            if own.is_some_and(|room| ROOMS[room] != "planner/explain") && branches {
                wrong.push(format!("src/{}.rs:{}: {path}: why is for `explain`", source.file, named.line));
            }
        }
    }
    assert!(ROOMS.iter().all(|room| house.files.contains(room)), "a room of the planner was not found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The rooms of the planner, in their order.
const ROOMS: [&str; 3] = ["planner/decide", "planner/explain", "planner/lower"];

/// What all of them look at.
const SHARED: [&str; 3] = ["planner/context", "planner/options", "planner/work"];

/// The files of `src/`, and what they hand on of others (`pub use`).
struct House<'s> {
    files: BTreeSet<&'s str>,
    /// File and name to the path that is handed on under it.
    handed_on: BTreeMap<(&'s str, &'s str), Vec<String>>,
}

impl<'s> House<'s> {
    fn of(sources: &'s [Source]) -> Self {
        let files = sources.iter().map(|source| source.file.as_str()).collect();
        let each = sources.iter().flat_map(|source| {
            let handed_on = handed_on(&source.names).into_iter();
            handed_on.map(|(name, at)| ((source.file.as_str(), name), source.names[at].path.clone()))
        });
        Self { files, handed_on: each.collect() }
    }

    /// For each file of a folder, and the file that the folder belongs to, those of them that it uses itself.
    fn uses_within(&self, folder: &str, sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
        let within = |file: &str| file == folder || file.starts_with(&format!("{folder}/"));
        let mut uses = BTreeMap::new();
        for source in sources.iter().filter(|source| within(&source.file)) {
            let only_handed_on: BTreeSet<usize> =
                handed_on(&source.names).into_iter().map(|(_, at)| at).collect();
            let own = source.names.iter().enumerate().filter(|(at, _)| !only_handed_on.contains(at));
            let files = own.filter_map(|(_, named)| self.file_named(&source.file, &named.path));
            let others = files.filter(|file| within(file) && *file != source.file).map(str::to_owned);
            uses.insert(source.file.clone(), others.collect());
        }
        uses
    }

    /// The file in which a path leads, seen from another one: the longest beginning of it that is a file, or
    /// the file that this one hands on what follows from.
    fn file_named(&self, from: &str, path: &[String]) -> Option<&'s str> {
        let whole = whole(from, path)?;
        let beginnings = (1..=whole.len()).rev().map(|length| (length, whole[..length].join("/")));
        let (length, file) = beginnings
            .filter_map(|(length, file)| Some((length, self.files.get(file.as_str()).copied()?)))
            .next()?;
        let next = whole.get(length).and_then(|name| self.handed_on.get(&(file, name)));
        match next {
            Some(path) if *path != whole => self.file_named(file, path).or(Some(file)),
            _ => Some(file),
        }
    }
}

/// A path from the root of the crate; `None` where it leads out of it.
fn whole<'p>(from: &'p str, path: &'p [String]) -> Option<Vec<&'p str>> {
    let own: Vec<&str> = from.split('/').collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let climbs = path.iter().take_while(|part| **part == "super").count();
    match path.first()? {
        &"crate" => Some(path[1..].to_vec()),
        &"super" if climbs <= own.len() && climbs < path.len() => {
            Some(own[..own.len() - climbs].iter().chain(&path[climbs..]).copied().collect())
        }
        &"self" => Some(own.iter().chain(&path[1..]).copied().collect()),
        // A word by itself declares a module, or is no path at all.
        &"super" => None,
        _ if path.len() > 1 => Some(own.iter().chain(&path).copied().collect()),
        _ => None,
    }
}

/// Names that a file hands on (`pub use`), each with the index of its path.
fn handed_on(names: &[Named]) -> Vec<(&str, usize)> {
    let word = |at: usize| match names.get(at).map(|named| named.path.as_slice()) {
        Some([word]) => word.as_str(),
        _ => "",
    };
    let mut found = Vec::new();
    for start in (0..names.len()).filter(|at| word(*at) == "use") {
        let scope = |at: &usize| matches!(names[*at].path[0].as_str(), "super" | "crate" | "in");
        let is_public = (0..start).rev().find(|at| !scope(at)).is_some_and(|at| word(at) == "pub");
        if !is_public {
            continue;
        }
        let last = |at: usize| names.get(at).and_then(|named| named.path.last()).map(String::as_str);
        let mut at = start + 1;
        while names.get(at).is_some_and(|named| named.path.len() > 1) {
            let renamed = last(at + 1) == Some("as");
            found.extend(last(if renamed { at + 2 } else { at }).map(|name| (name, at)));
            at += if renamed { 3 } else { 1 };
        }
    }
    found
}

#[test]
fn only_the_files_meant_for_it_touch_the_world() {
    let layers = layers();
    let wrong: Vec<String> = sources().iter().flat_map(|source| forbidden(source, &layers)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_test_file_is_a_module_of_its_binary() {
    for folder in ["tests/it", "tests/engine"] {
        let main = fs::read_to_string(repository().join(folder).join("main.rs")).expect("main.rs");
        for entry in fs::read_dir(repository().join(folder)).expect("the folder of tests") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name in UTF-8");
            let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else { continue };
            assert!(
                main.lines().any(|line| line.trim() == format!("mod {module};")),
                "{folder}/{name} never runs: `mod {module};` is missing in {folder}/main.rs"
            );
        }
    }
}

#[test]
fn what_the_fence_forbids_is_found_in_groups_and_in_the_middle_of_code() {
    let layers = BTreeMap::from([("plan".to_owned(), 3), ("store".to_owned(), 4)]);
    let source = |file: &str, text: &str| {
        let code = bare(text);
        Source { file: file.to_owned(), names: names(&code), code }
    };
    for text in [
        "use std::{fmt, fs::{self, read}};",
        "fn f() { let x = std::env::var(\"A\"); }",
        "use std::net::TcpStream;",
        "use std::time::{Duration, Instant}; fn f() { Instant::now(); }",
        "async fn f() {}",
        "use hyper::Method;",
        "fn f() { hyper_util::rt::TokioIo::new(x); }",
        "fn f() { tokio::spawn(x); }",
        "use age::x25519;",
        "use starlark::environment::Module;",
        "fn f() { unsafe { g() } }",
        "#![allow(unsafe_code)]",
        "fn f() { getrandom::fill(&mut id); }",
        "fn f() { println!(\"x\"); }",
    ] {
        assert!(!forbidden(&source("plan/a", text), &layers).is_empty(), "not found: {text}");
    }
    for text in [
        "// std::fs\n/* tokio::spawn */ const A: &str = \"std::fs::read\"; const B: char = '\"'; fn g<'a>() {}",
        "use std::net::IpAddr;",
        "#[cfg(test)]\nmod tests { use std::fs; }",
        "const A: &str = r#\"a \" std::fs::read\"#;",
    ] {
        assert_eq!(forbidden(&source("plan/a", text), &layers), Vec::<String>::new(), "{text}");
    }
    let sources = [
        source("a", "pub(crate) use b::{c::X as Y, f}; mod b; fn g() { d::h(); }"),
        source("a/b", "pub use c::Z;"),
        source("a/b/c", "use super::super::d;"),
        source("a/d", "use super::Y;"),
    ];
    let house = House::of(&sources);
    let leads = |from: &str, path: &str| {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        house.file_named(from, &path)
    };
    assert_eq!(leads("a/b/c", "super::super::d::X"), Some("a/d"));
    assert_eq!(leads("a/d", "crate::a::b::c::f"), Some("a/b/c"));
    assert_eq!((leads("a/d", "super::Y"), leads("a/d", "super::b::Z")), (Some("a/b/c"), Some("a/b/c")));
    assert_eq!((leads("a/d", "super::g"), leads("a", "b::f")), (Some("a"), Some("a/b")));
    assert_eq!((leads("a", "b"), leads("a/d", "std::fmt")), (None, Some("a/d")));
    let around = cycle(&house.uses_within("a", &sources)).expect("a circle");
    assert_eq!(around, ["a/d", "a/b/c", "a/d"]);
    let upward =
        source("plan/a", "use crate::{name, store::{self, write}}; fn f() { super::super::store::x(); }");
    let named: Vec<_> = modules_named_by(&upward, &layers).into_iter().map(|(module, _)| module).collect();
    assert_eq!(named, ["store", "store", "store"]);
}

/// The table in the documentation of `src/lib.rs`: module to layer.
fn layers() -> BTreeMap<String, u8> {
    let text = fs::read_to_string(repository().join("src/lib.rs")).expect("src/lib.rs");
    let mut layers = BTreeMap::new();
    for row in text.lines().filter_map(|line| line.strip_prefix("//! |")) {
        let mut cells = row.split('|').map(str::trim);
        let Some(layer) = cells.next().and_then(|cell| cell.parse().ok()) else { continue };
        for module in cells.next().expect("a cell of modules").split(',') {
            layers.insert(module.trim().trim_matches(['[', ']', '`']).to_owned(), layer);
        }
    }
    assert!(layers.len() > 10, "the table of layers in src/lib.rs was not found: {layers:?}");
    layers
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut tests = BTreeSet::new();
    read_sources(&repository().join("src"), "", &mut found, &mut tests);
    found.retain(|source| {
        !tests.iter().any(|test| source.file == *test || source.file.starts_with(&format!("{test}/")))
    });
    assert!(found.len() > 5, "the source was not found");
    found
}

/// Reads every file; `tests` are the modules declared under `#[cfg(test)]`.
fn read_sources(folder: &Path, prefix: &str, found: &mut Vec<Source>, tests: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of the source") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            if path != "bin" {
                read_sources(&entry.path(), &format!("{path}/"), found, tests);
            }
        } else if let Some(file) = path.strip_suffix(".rs") {
            if matches!(file, "lib" | "main") {
                continue;
            }
            let text = fs::read_to_string(entry.path()).expect("a source file");
            tests.extend(test_modules(&text).map(|module| format!("{file}/{module}")));
            let code = bare(&text);
            let file = file.strip_suffix("/mod").unwrap_or(file).to_owned();
            found.push(Source { file, names: names(&code), code });
        }
    }
}

/// Names of modules that are compiled for tests only.
fn test_modules(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
        let line = rest.lines().next()?.trim().strip_suffix(';')?;
        let (visible, module) = line.split_once("mod ")?;
        (visible.is_empty() || visible.starts_with("pub")).then_some(module)
    })
}

/// The top-level modules that a file names, by `crate::` or by climbing with `super::`.
fn modules_named_by(source: &Source, layers: &BTreeMap<String, u8>) -> Vec<(String, usize)> {
    let depth = source.file.split('/').count();
    let named = source.names.iter().filter_map(|named| {
        let climbs = named.path.iter().take_while(|part| *part == "super").count();
        let module = match named.path[0].as_str() {
            "crate" => named.path.get(1),
            "super" if climbs >= depth => named.path.get(climbs),
            _ => None,
        }?;
        layers.contains_key(module).then(|| (module.clone(), named.line))
    });
    named.collect()
}

/// What a file names although its place forbids it.
fn forbidden(source: &Source, layers: &BTreeMap<String, u8>) -> Vec<String> {
    let layer = layers.get(source.module()).copied().unwrap_or_default();
    let pure = layer <= 3;
    let file = source.file.as_str();
    let within = |place: &str| file == place || file.starts_with(&format!("{place}/"));
    let mut wrong = Vec::new();
    for named in &source.names {
        let parts: Vec<&str> = named.path.iter().map(String::as_str).collect();
        let why = match parts.as_slice() {
            ["std", "fs", ..] | ["tokio", "fs", ..] if !within("store") => {
                "only `store` reads and writes files"
            }
            ["std", "env" | "process" | "thread", ..] if pure => "layers 0 to 3 are pure",
            ["std", "net", what, ..] if pure && !what.ends_with("Addr") => "layers 0 to 3 are pure",
            ["std", "io", "stdin" | "stdout" | "stderr", ..] if pure => "layers 0 to 3 are pure",
            ["tokio" | "futures_util" | "rustix" | "tempfile" | "indicatif" | "rpassword", ..] if pure => {
                "layers 0 to 3 are pure"
            }
            [.., "SystemTime" | "Instant", "now"] | [.., "Timestamp" | "Zoned", "now"] if pure => {
                "layers 0 to 3 have no clock"
            }
            ["getrandom", ..] if pure && !within("pillar/seal") => "randomness only in `pillar::seal`",
            ["clap" | "clap_complete" | "clap_mangen", ..] if !within("cli") => "only `cli` reads arguments",
            ["age", ..] if !within("keys") && !within("pillar/seal") && !within("pillar/boxes") => {
                "only `keys`, `pillar::seal` and `pillar::boxes` name age"
            }
            ["hyper" | "hyper_util" | "http_body_util" | "tokio_rustls" | "bollard", ..]
                if !within("engine/docker") =>
            {
                "only `engine::docker` speaks to Engines"
            }
            ["starlark" | "allocative" | "anyhow", _, ..] if !within("interpreter") => {
                "only `interpreter` names the interpreter of Starlark"
            }
            ["linux_keyutils" | "secret_service" | "keyring_core", ..] if !within("keyring") => {
                "only `keyring` speaks to the system's keyrings"
            }
            // In `interpreter::run` it is the name of a method that the interpreter calls.
            ["println" | "eprintln"] if !within("cli") && !within("interpreter/run") => "only `cli` prints",
            _ => continue,
        };
        wrong.push(format!("src/{file}.rs:{}: {}: {why}", named.line, named.path.join("::")));
    }
    for (number, line) in source.code.lines().enumerate() {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        // starlark's derive macros write `unsafe impl`, so that the lint cannot be `forbid`.
        if words.contains(&"unsafe") || (words.contains(&"unsafe_code") && !within("interpreter")) {
            wrong.push(format!("src/{file}.rs:{}: nothing here is unsafe", number + 1));
        }
        if pure && (words.contains(&"async") || words.contains(&"await")) {
            wrong.push(format!("src/{file}.rs:{}: layers 0 to 3 are not async", number + 1));
        }
    }
    wrong
}

/// Code without comments, texts and unit tests; lines stay where they are.
fn bare(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let keep_lines = |from: usize, to: usize, out: &mut String| {
        out.push(' ');
        out.extend(chars[from..to].iter().filter(|c| **c == '\n'));
    };
    while at < chars.len() {
        let rest = &chars[at..];
        let end = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n),
            ['/', '*', ..] => at + find(rest, "*/").map_or(rest.len(), |n| n + 2),
            ['r', '"', ..] | ['r', '#', ..] if at == 0 || !is_word(chars[at - 1]) => match raw_text(rest) {
                Some(length) => at + length,
                None => at,
            },
            ['"', ..] => at + quoted(rest, '"'),
            ['\'', '\\', ..] => at + quoted(rest, '\''),
            ['\'', _, '\'', ..] => at + 3,
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            keep_lines(at, end, &mut out);
            at = end;
        }
    }
    match out.find("#[cfg(test)]\nmod tests {") {
        Some(tests) => out[..tests].to_owned(),
        None => out,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(chars: &[char], what: &str) -> Option<usize> {
    let what: Vec<char> = what.chars().collect();
    chars.windows(what.len()).position(|window| window == what)
}

fn quoted(chars: &[char], mark: char) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != mark {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_text(chars: &[char]) -> Option<usize> {
    let marks = chars[1..].iter().take_while(|c| **c == '#').count();
    (chars.get(1 + marks) == Some(&'"')).then(|| {
        let close = format!("\"{}", "#".repeat(marks));
        let body = 2 + marks;
        find(&chars[body..], &close).map_or(chars.len(), |n| body + n + close.len())
    })
}

/// Every path in the code. Macros are paths of their name.
fn names(code: &str) -> Vec<Named> {
    let chars: Vec<char> = code.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if is_word(chars[at]) {
            at = read_path(&chars, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    // Where something is visible (`pub(in crate::x)`) names nothing.
    let is = |at: Option<usize>, word: &str| at.is_some_and(|at| found[at].path == [word]);
    let visible = |at: usize| is(at.checked_sub(1), "in") && is(at.checked_sub(2), "pub");
    let hidden: BTreeSet<usize> = (0..found.len()).filter(|at| visible(*at)).collect();
    let mut at = 0;
    found.retain(|_| {
        at += 1;
        !hidden.contains(&(at - 1))
    });
    // Positions so far.
    let mut lines = vec![1; chars.len()];
    for at in 1..chars.len() {
        lines[at] = lines[at - 1] + usize::from(chars[at - 1] == '\n');
    }
    for named in &mut found {
        named.line = lines[named.line];
    }
    found
}

/// Reads one path from `at` on, below a prefix; returns where it ends.
fn read_path(chars: &[char], mut at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let start = at;
    let mut path = prefix.to_vec();
    loop {
        let word: String = chars[at..].iter().take_while(|c| is_word(**c)).collect();
        at += word.chars().count();
        path.push(word);
        if chars.get(at) != Some(&':') || chars.get(at + 1) != Some(&':') {
            break;
        }
        at += 2;
        match chars.get(at) {
            Some('{') => return read_group(chars, at, &path, found),
            Some(c) if is_word(*c) => {}
            _ => break,
        }
    }
    found.push(Named { path, line: start });
    at
}

fn read_group(chars: &[char], mut at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != '}' {
        if is_word(chars[at]) {
            at = read_path(chars, at, prefix, found);
        } else {
            at += 1;
        }
    }
    at + 1
}

fn cycle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        module: &str,
        uses: &BTreeMap<String, BTreeSet<String>>,
        trail: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(start) = trail.iter().position(|seen| seen == module) {
            return Some(trail[start..].iter().cloned().chain([module.to_owned()]).collect());
        }
        if done.contains(module) {
            return None;
        }
        trail.push(module.to_owned());
        for next in uses.get(module).into_iter().flatten() {
            if let Some(found) = walk(next, uses, trail, done) {
                return Some(found);
            }
        }
        trail.pop();
        done.insert(module.to_owned());
        None
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|module| walk(module, uses, &mut Vec::new(), &mut done))
}

#[test]
fn modules_for_tests_only_are_told_from_others() {
    let text = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\npub(super) mod c;\n#[cfg(test)]\nmod tests {\n}\nmod d;\n";
    assert_eq!(test_modules(text).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn a_circle_of_modules_is_found() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let uses = BTreeMap::from([("a".to_owned(), set(&["b"])), ("b".to_owned(), set(&["c"]))]);
    assert_eq!(cycle(&uses), None);
    let mut circular = uses;
    circular.insert("c".to_owned(), set(&["b"]));
    assert_eq!(cycle(&circular), Some(vec!["b".to_owned(), "c".to_owned(), "b".to_owned()]));
}
