//! States in Starlark, through the binary: the article, secrets, limits, `load`, errors.

use crate::env::TestEnv;
use serde_json::Value;
use std::fs;

/// A workspace in which each of these programs is the one state of a host of its name.
fn workspace(programs: &[(String, String)]) -> TestEnv {
    let env = TestEnv::initialised();
    let inventory = env.read("pillarbox.toml");
    let mut inventory = inventory.split("[groups").next().expect("its head").to_owned();
    for (name, text) in programs {
        env.write(&format!("states/{name}.star"), text);
        inventory.push_str(&format!(
            "[hosts.{name}]\nengine = \"unix:///nowhere\"\npillar = [\"registries/*\", \"apps\"]\nstates = [\"{name}.star\"]\n"
        ));
    }
    env.write("pillarbox.toml", inventory).write("pillar/apps.toml", "[api]\nx = 1\n");
    env
}

fn named(programs: &[(&str, &str)]) -> Vec<(String, String)> {
    programs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn the_articles_states_run_with_their_quotes_straightened_and_their_brackets_closed() {
    let article = include_str!("starlark/article.star");
    let env = workspace(&named(&[("article", article)]));
    let output = env.run(&["compile"]).ok();
    let compiled: Value = serde_json::from_str(output.stdout()).expect("JSON");
    let [image, nginx] = compiled["hosts"][0]["states"].as_array().expect("states").as_slice() else {
        panic!("an image and a container: {compiled}")
    };
    assert_eq!(image["address"], "image nginx:latest");
    assert_eq!((&image["wish"], &image["force"]), (&"pulled".into(), &true.into()));
    assert_eq!((&nginx["address"], &nginx["wish"]), (&"container ournginx".into(), &"running".into()));
    assert_eq!((&nginx["stop_timeout"], &nginx["needs"][0]), (&10.into(), &image["address"]));
    let declared = nginx["declared"].as_array().expect("places").iter();
    let declared: Vec<&str> = declared.filter_map(|one| one["place"].as_str()).collect();
    assert_eq!(declared, ["states/article.star:15", "states/article.star:26", "states/article.star:36"]);
    output
        .says("the requisite on pip `docker-py` is not managed by pillarbox")
        .says("was read as container.absent");
    // As it stands on the page it is no program, and the error says what to do.
    env.write("states/article.star", article.replacen("'nginx'", "‘nginx’", 1));
    env.run(&["compile"]).exits(1).explains("states/article.star:5").explains("straighten the quotes");
}

#[test]
fn two_hundred_programs_neither_print_a_secret_nor_decide_by_one() {
    let programs: Vec<&str> =
        include_str!("starlark/hostile.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let text = |line: &str| {
        let line = line.replace('¶', "\n");
        format!(
            "def run():\n    config = {{}}\n    pw = pillar[\"api\"][\"pw\"]\n    {line}\n    return config\n"
        )
    };
    let files: Vec<(String, String)> =
        programs.iter().enumerate().map(|(number, line)| (format!("h{number}"), text(line))).collect();
    let env = workspace(&files);
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "CANARY-of-api").ok();
    let add = ["registry", "add", "registry.example.com", "-u", "me", "--password-stdin"];
    env.run_with_input(&add, "CANARY-of-registry\n").ok();
    let output = env.run(&["--json", "compile"]).exits(1);
    let said: Value = serde_json::from_str(output.stdout()).expect("JSON");
    let problems = said["error"]["problems"].as_array().expect("problems");
    for (number, program) in programs.iter().enumerate() {
        let file = format!("states/h{number}.star");
        let found: Vec<&Value> =
            problems.iter().filter(|problem| problem["place"]["file"] == file.as_str()).collect();
        assert!(!found.is_empty(), "not refused: {program}");
        let lines = 4..=4 + program.matches('¶').count() as u64;
        let line = found[0]["place"]["line"].as_u64().expect("a line");
        assert!(lines.contains(&line), "{program}: line {line}");
    }
    for text in [output.stdout(), output.stderr()] {
        assert!(!text.contains("CANARY") && !text.contains("Q0FOQVJZ"), "{text}");
    }
    // With no identity at all it is the same: nothing was opened.
    fs::remove_file(env.identity()).expect("the identity");
    let keyless = env.run(&["--json", "compile"]).exits(1);
    assert_eq!(keyless.stdout(), output.stdout());
}

#[test]
fn programs_without_end_or_measure_are_stopped_by_name_and_the_others_are_run() {
    let env = workspace(&named(&[
        ("loops", "def run():\n    x = 0\n    for i in range(100000000):\n        x = i\n    return {}\n"),
        ("recurses", "def f(n):\n    return f(n + 1)\n\ndef run():\n    return f(0)\n"),
        ("repeats", "def run():\n    return 'x' * 1500000000\n"),
        ("grows", "def run():\n    x = 'x'\n    for i in range(40):\n        x += x\n    return {}\n"),
        ("lists", "def run():\n    return list(range(100000000))\n"),
        ("multiplies", "def run():\n    x = 'x'\n    x *= 1500000000\n    return {}\n"),
        ("circle", "def run():\n    x = []\n    x.append(x)\n    return {'a': {'b': x}}\n"),
        ("wide", "def run():\n    return {'a': {'b': {str(i): 'y' * 4000000 for i in range(20)}}}\n"),
        ("deep", &format!("def run():\n    return {}1{}\n", "(".repeat(100_000), ")".repeat(100_000))),
        ("sound", "def run():\n    return {'a': {'container.runing': {}}}\n"),
    ]));
    let mut output = env.run(&["compile"]).exits(1);
    for said in [
        "states/loops.star:4: it runs for too long: a file may use 10000000 loop iterations and calls",
        "states/recurses.star:2: functions call each other too deeply: the limit is 200 calls",
        "states/repeats.star:2: a repetition gives more than 4194304 characters or items",
        "states/grows.star: it needs too much memory: 512 MiB is the limit",
        "states/lists.star: it needs too much memory: 512 MiB is the limit",
        "states/multiplies.star: it needs too much memory: 512 MiB is the limit",
        "states/circle.star: what `run` returns is not data",
        "states/wide.star: what `run` returns is not data",
        "states/deep.star: it nests too deep to be read",
        "states/sound.star:2: `container.runing` is not a state function",
    ] {
        output = output.explains(said);
    }
}

#[test]
fn load_takes_names_from_files_below_states_and_from_nowhere_else() {
    let run = "\ndef run():\n    return {'a': {'container.running': {'image': image('web')}}}\n";
    let env = workspace(&named(&[
        ("good", &format!("load(\"//lib/images.star\", \"image\"){run}")),
        ("lib_beside", &format!("load(\"lib/images.star\", image = \"image\"){run}")),
    ]));
    env.write(
        "states/lib/images.star",
        "load(\"names.star\", \"tag\")\ndef image(app):\n    return app + tag\n",
    );
    env.write("states/lib/names.star", "tag = \":1\"\n");
    env.run(&["compile"]).ok().says("\"image\": \"web:1\"");
    for (load, said) in [
        ("../pillarbox.toml", "it leads out of states/"),
        ("//../pillar/apps.toml", "it leads out of states/"),
        ("//lib/../../x.star", "it leads out of states/"),
        ("/etc/passwd", "it leads out of states/"),
        ("//lib/images.toml", "it is not a .star file"),
        ("//lib/image.star", "did you mean `//lib/images.star`?"),
    ] {
        env.write("states/good.star", format!("x = 1\nload(\"{load}\", \"image\"){run}"));
        env.run(&["compile"]).exits(1).explains("states/good.star:2").explains(said);
    }
    env.write("states/lib/names.star", "load(\"//lib/images.star\", \"image\")\ntag = \":1\"\n");
    env.run(&["compile"])
        .exits(1)
        .explains("load cycle: states/lib/images.star → states/lib/names.star → states/lib/images.star");
    std::os::unix::fs::symlink("/etc/passwd", env.workspace().join("states/lib/link.star")).expect("a link");
    env.run(&["compile"]).exits(1).explains("states/lib/link.star is a symbolic link");
}

#[test]
fn an_error_has_its_line_its_column_and_the_calls_that_led_there() {
    let env = workspace(&named(&[(
        "web",
        "load(\"//lib.star\", \"image\")\n\ndef state(app):\n    return {\"container.running\": {\"image\": image(app)}}\n\n\
         def run():\n    print(\"so far\")\n    return {\"web\": state(\"x\")}\n",
    )]));
    env.write("states/lib.star", "def image(app):\n    return pillar[\"api\"][app + \"x\"]\n");
    let output = env.run(&["compile"]).exits(1);
    insta::assert_snapshot!(output.stderr(), @r#"
    error: states/web.star:4: `pillar.api.xx` does not exist
      caused by: column 44: return {"container.running": {"image": image(app)}}
      caused by: in state, called at states/web.star:8
      caused by: it had printed states/web.star:7: so far
      hint: did you mean `pillar.api.x`?
    "#);
}

#[test]
fn an_engine_is_asked_only_where_a_program_wants_to_know_its_host() {
    let env = workspace(&named(&[(
        "web",
        "def run():\n    return {host['name']: {'container.running': {'image': 'a', 'env': {'G': str(host['groups'])}}}}\n",
    )]));
    env.run(&["compile"]).ok().says("container web");
    for asks in [
        "host['cpus']",
        "len(host)",
        "grains['num_cpus']",
        "host.get('memory', 1)",
        "'os' in host",
        "dict(grains)",
    ] {
        env.write("states/web.star", format!("def run():\n    x = {asks}\n    return {{}}\n"));
        env.run(&["compile"]).exits(1).explains("does not answer");
    }
}

#[test]
fn what_is_printed_is_bounded_and_cannot_move_the_cursor() {
    let env = workspace(&named(&[(
        "web",
        "def run():\n    for i in range(1000):\n        print(i, \"\\x1b[31m\" * 1000)\n    return {}\n",
    )]));
    let output = env.run(&["compile"]).ok();
    let output = output.says("states/web.star:3: 0 ").says("more was printed, and left out");
    assert!(!output.stdout().contains('\u{1b}') && output.stdout().len() < 100_000);
}

#[test]
fn the_articles_pillar_is_imported_and_no_error_shows_its_password() {
    let env = TestEnv::initialised();
    let pillar = "def run():\n    base_pillar = {}\n    base_pillar['docker-registries'] = {\n        \
                  'registry.example.com': {\n            'email': 'ops@example.com',\n            \
                  'password': \"CANARY-registry-password\",\n            'username': 'accountname'\n        }\n    }\n    return base_pillar\n";
    env.write("../init.sls", pillar);
    let import = ["registry", "import", "-y", "../init.sls"];
    env.run(&import).ok().lacks("CANARY");
    env.run(&["registry", "list"]).ok().says("registry.example.com").says("accountname");
    let shown = env.run(&["reveal", "registries.\"registry.example.com\".password"]).ok();
    shown.says("CANARY-registry-password");
    // As on the page: crooked quotes, brackets lost, and what a program can do wrong with a password.
    for (broken, line) in [
        (pillar.replace("\"CANARY-registry-password\"", "“CANARY-registry-password”"), ":6"),
        (pillar.replace("        }\n    }\n", ""), ":8"),
        (pillar.replace("return base_pillar", "fail(base_pillar)"), ":10"),
        (
            pillar.replace(
                "return base_pillar",
                "return base_pillar[base_pillar['docker-registries']['registry.example.com']['password']]",
            ),
            ":10",
        ),
        (pillar.replace("return base_pillar", "print(base_pillar)\n    return 1 // 0"), ":11"),
    ] {
        env.write("../init.sls", broken);
        env.run(&import)
            .exits(1)
            .lacks("CANARY")
            .explains(&format!("init.sls{line}: this pillar is a program"));
    }
}
