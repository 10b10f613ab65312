//! `docs/python.md`: every line of it is what the program says, and the article as it is printed.

use crate::env::{TestEnv, repository};
use serde_json::Value;
use std::fs;

/// A line of the page.
struct Row {
    python: Vec<String>,
    here: String,
}

/// The parts of a cell that are code.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(repository().join("docs/python.md")).expect("the page");
    let mut rows: Vec<Row> = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let line = line.replace("\\|", "\u{1}");
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect();
        let [python, here] = cells.as_slice() else { panic!("two cells: {line}") };
        if here == "here" {
            continue;
        }
        let here = match here.as_str() {
            "as above" => rows.last().expect("a line above").here.clone(),
            here => here.to_owned(),
        };
        let python = if python.contains('`') { code(python) } else { vec!["\tx = 1".to_owned()] };
        rows.push(Row { python, here });
    }
    rows
}

const PRELUDE: &str = "def f(a = None, b = None, **more):\n    return a\n\ndef run():\n    config = {}\n    \
                       x, y, n, a, b, c = 1, 2, 3, 4, 5, 6\n    s, l, d = \"text\", [1, 2], {\"a\": 1}\n";

/// A program with these lines in it.
fn program(lines: &[String]) -> String {
    let mut text = PRELUDE.to_owned();
    for line in lines {
        text.push_str(&format!("    {line}\n"));
    }
    if lines.last().is_some_and(|line| line.ends_with(':')) {
        text.push_str("        pass\n");
    }
    text.push_str("    return config\n");
    text
}

/// What is said of each of these programs: its problems, as texts of message and hints.
fn said(programs: &[String]) -> Vec<Vec<(u64, Vec<String>)>> {
    let env = TestEnv::initialised();
    let inventory = env.read("pillarbox.toml");
    let mut inventory = inventory.split("[groups").next().expect("its head").to_owned();
    for (number, text) in programs.iter().enumerate() {
        env.write(&format!("states/h{number}.star"), text);
        inventory.push_str(&format!(
            "[hosts.h{number}]\nengine = \"unix:///nowhere\"\npillar = [\"apps\"]\nstates = [\"h{number}.star\"]\n"
        ));
    }
    env.write("pillarbox.toml", inventory);
    env.write("pillar/apps.toml", "tag = \"1\"\n[a]\nb = { c = 1 }\n[t]\na = 1\n");
    env.run_with_input(&["seal", "--in", "apps", "pw"], "CANARY-pw").ok();
    let output = env.run(&["--json", "compile"]);
    assert!(!output.stdout.contains("CANARY") && !output.stderr.contains("CANARY"));
    let answer: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let problems = answer["error"]["problems"].as_array().cloned().unwrap_or_default();
    let of = |number: usize| {
        let file = format!("states/h{number}.star");
        let own = problems.iter().filter(|problem| problem["place"]["file"] == file.as_str());
        let texts = own.map(|problem| {
            let hints = problem["hints"].as_array().into_iter().flatten();
            let all = hints.chain([&problem["what"]]).filter_map(Value::as_str).map(str::to_owned);
            (problem["place"]["line"].as_u64().expect("a line"), all.collect())
        });
        texts.collect()
    };
    (0..programs.len()).map(of).collect()
}

#[test]
fn what_python_has_and_starlark_has_not_is_said_with_what_to_write() {
    let rows = rows();
    assert!(rows.len() > 100, "{}", rows.len());
    let programs: Vec<String> = rows.iter().map(|row| program(&row.python)).collect();
    let all = said(&programs);
    let mut wrong = Vec::new();
    for (row, problems) in rows.iter().zip(&all) {
        let expected = row.here.replace('`', "");
        let fits = |(line, texts): &(u64, Vec<String>)| {
            *line >= 8 && texts.iter().any(|text| text.replace('`', "").contains(&expected))
        };
        if !problems.first().is_some_and(fits) {
            wrong.push(format!("{:?} should say {expected}, and says {problems:?}", row.python));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_to_be_written_instead_runs() {
    let whole = |row: &Row| {
        let code = code(&row.here);
        let only = row.here.starts_with('`') && row.here.matches('`').count() == 2;
        let runs = !row.here.contains('…') && !row.here.starts_with("`elif") && !row.here.contains("fail(");
        code.first().filter(|_| only && runs && row.here.ends_with('`')).cloned()
    };
    let lines: Vec<String> = rows().iter().filter_map(whole).collect();
    assert!(lines.len() > 30, "{lines:?}");
    let programs: Vec<String> = lines.iter().map(|line| program(std::slice::from_ref(line))).collect();
    for (line, problems) in lines.iter().zip(said(&programs)) {
        assert!(problems.is_empty(), "{line}: {problems:?}");
    }
}

#[test]
fn all_errors_of_a_program_are_reported_at_once() {
    let env = TestEnv::initialised();
    env.write("pillarbox.toml", "workspace = \"shop\"\n[readers]\ndefault = [\"me\"]\n[hosts.web1]\nengine = \"unix:///nowhere\"\nstates = [\"web.star\"]\n");
    env.write(
        "states/web.star",
        "import os\n\ndef image(tag):\n    if tag is None:\n        tag = ‘latest’\n    assert tag\n    \
         return \"web:%s\" % tag\n\ndef run():\n    config = {}\n    try:\n        n = sum([1])\n    except KeyError:\n        \
         n = 0\n    config[\"web\"] = {\n        \"container.running\": [\n            {\"image\": image(None)\n    \
         return confg\n",
    );
    let said = env.run(&["compile"]).exits(1);
    insta::assert_snapshot!(said.stderr(), @r##"
    error: states/web.star:1: Starlark does not know `import`
      caused by: import os
      hint: load("//lib/web.star", "web") loads what another file of states/ defines; json.dumps is tojson(…); nothing else can be loaded
    error: states/web.star:4: Starlark does not know `is`
      caused by: if tag is None:
      hint: write x == None
    error: states/web.star:5: the quotes of a printed text are no quotes of a program
      caused by: tag = ‘latest’
      hint: straighten the quotes: sed -i "s/[‘’]/'/g; s/[“”]/\"/g" states/web.star
    error: states/web.star:6: Starlark does not know `assert`
      caused by: assert tag
      hint: write if not x: fail("why")
    error: states/web.star:11: Starlark does not know `try`
      caused by: try:
      hint: ask before it fails: d.get("a", default), "a" in d, pillar.has("a:b"); what fails stops the file
    error: states/web.star:12: there is no `sum`
      caused by: column 13: n = sum([1])
      hint: write total = 0, then for x in l: total += x
    error: states/web.star:13: Starlark does not know `except`
      caused by: except KeyError:
    error: states/web.star:18: the `{` of line 15 and the `[` of line 16 and the `{` of line 17 are not closed
      caused by: return confg
      hint: `}]}` is missing before line 18
    "##);
}

/// One error of a run: its line, what is wrong, and the hints.
fn errors(env: &TestEnv) -> Vec<(usize, String, Vec<String>)> {
    let answer: Value = serde_json::from_str(&env.run(&["--json", "compile"]).stdout).expect("JSON");
    let problems = answer["error"]["problems"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |problem: &Value| {
        let line = problem["place"]["line"].as_u64().unwrap_or_default();
        let hints = problem["hints"].as_array().into_iter().flatten().map(text).collect();
        (usize::try_from(line).expect("a line"), text(&problem["what"]), hints)
    };
    problems.iter().map(one).collect()
}

/// Does what the hint of a bracket says.
fn close(text: &str, hint: &str) -> String {
    let missing = hint.split('`').nth(1).expect("brackets");
    let number: usize = hint.rsplit(' ').next().expect("a line").parse().expect("a number");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let before = if hint.contains("at the end of") { number } else { number - 1 };
    let at = (0..before).rfind(|at| !lines[*at].trim().is_empty()).expect("a line before");
    let line = lines[at].clone();
    let (code, comment) = line.split_once('#').unwrap_or((&line, ""));
    lines[at] = format!("{}{missing} # {comment}", code.trim_end());
    lines.join("\n") + "\n"
}

#[test]
fn the_errors_lead_from_the_article_as_it_is_printed_to_the_file_that_runs() {
    let printed = repository().join("tests/it/starlark/printed");
    let part = |name: &str| fs::read_to_string(printed.join(name)).expect("a part of the article");
    let mut text = ["pulled", "installed", "running", "absent", "compare"]
        .map(|name| part(&format!("{name}.star")) + "\n")
        .join("");
    let env = TestEnv::initialised();
    env.write("pillarbox.toml", "workspace = \"shop\"\n[readers]\ndefault = [\"me\"]\n[hosts.web1]\nengine = \"unix:///nowhere\"\nstates = [\"nginx.star\"]\n");
    env.write("states/nginx.star", &text);
    let mut did: Vec<&str> = Vec::new();
    for _ in 0..30 {
        let found = errors(&env);
        let Some((line, what, hints)) = found.first().cloned() else { break };
        let hint = hints.first().unwrap_or_else(|| panic!("{line}: {what} leads nowhere"));
        if what.contains("quotes") {
            // The command of the hint, as it is pasted.
            let command = hint.split_once(": ").expect("a command").1;
            let done =
                std::process::Command::new("sh").args(["-c", command]).current_dir(env.workspace()).status();
            assert!(done.expect("a shell").success());
            text = env.read("states/nginx.star");
            did.push("quotes");
        } else if hint.contains("` is missing ") {
            text = close(&text, hint);
            did.push("bracket");
        } else if what.contains("a shell script") {
            text = text.lines().take(line - 1).map(|line| format!("{line}\n")).collect();
            did.push("script");
        } else if what.contains("indentation") {
            let mut lines: Vec<&str> = text.lines().collect();
            lines[line - 1] = lines[line - 1].trim_start();
            text = lines.join("\n") + "\n";
            did.push("indentation");
        } else if hint.contains("between `config = {}` and `return config`") {
            let (head, rest) = text.split_once("    return config").expect("the end of run");
            let body: String = rest.lines().map(|line| format!("    {line}\n")).collect();
            text = format!("{head}{body}    return config\n");
            did.push("run");
        } else if hint.contains("write \"cmd.run\"") {
            text = text.replace("'': [", "'cmd.run': [");
            did.push("function");
        } else {
            panic!("{line}: {what}: {hint}\n{text}");
        }
        env.write("states/nginx.star", &text);
    }
    did.dedup();
    assert_eq!(did, ["quotes", "bracket", "indentation", "script", "bracket", "run", "function"], "{text}");
    let compiled = env.run(&["compile"]).ok().says("was read as container.absent");
    let compiled: Value = serde_json::from_str(compiled.stdout()).expect("JSON");
    let nginx = &compiled["hosts"][0]["states"][1];
    assert_eq!((&nginx["address"], &nginx["stop_timeout"]), (&"container ournginx".into(), &10.into()));
    assert_eq!(nginx["image"], "nginx:latest");
}

#[test]
fn the_errors_lead_from_the_pillar_as_it_is_printed_to_a_credential() {
    let env = TestEnv::initialised();
    let mut text =
        fs::read_to_string(repository().join("tests/it/starlark/printed/pillar.sls")).expect("the pillar");
    env.write("../init.sls", &text);
    let import = ["registry", "import", "-y", "../init.sls"];
    let said = env.run(&import).exits(1).lacks("docker-registry-password");
    said.explains("init.sls:6: this pillar is a program").explains("straighten its quotes");
    text = text.replace(['‘', '’'], "'").replace(['“', '”'], "\"");
    env.write("../init.sls", &text);
    let said = env.run(&import).exits(1).lacks("docker-registry-password");
    said.explains("init.sls:8").explains("`}}` is missing before line 8");
    text = text.replace("'accountname'", "'accountname'}}");
    env.write("../init.sls", &text);
    env.run(&import).exits(1).explains("write the registry's host in its place: registry.example.com");
    env.write("../init.sls", text.replace("'': {", "'registry.example.com': {"));
    env.run(&import).ok().lacks("docker-registry-password");
    env.run(&["reveal", "registries.\"registry.example.com\".password"])
        .ok()
        .says("docker-registry-password");
}
