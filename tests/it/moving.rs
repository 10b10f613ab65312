//! `move`: what is sealed opens at its new place, ids are kept, comments come along.

use crate::env::TestEnv;
use std::time::Duration;

/// `(sealed 9f2c)` of a key as `show` prints it.
fn shown(env: &TestEnv, file: &str, key: &str) -> String {
    let text = env.run(&["show", file]).ok().stdout().to_owned();
    let line = text.lines().find(|line| line.starts_with(&format!("{key} = "))).expect("the key");
    line[line.find('(').expect("a sealed value")..=line.find(')').expect("its end")].to_owned()
}

#[test]
fn a_key_that_gets_another_name_keeps_its_place_comment_and_id() {
    let env = TestEnv::initialised();
    env.write(
        "pillar/apps.toml",
        "# the api\n[api]\n# of the database\npw = \"x\"  # main\nlog = \"info\"\n",
    );
    env.run_with_input(&["seal", "api.pw"], "s3cret").ok();
    let id = shown(&env, "apps", "pw");
    env.run(&["move", "api.pw", "api.db_password"]).ok().explains("sealed again");
    assert_eq!(
        env.run(&["show", "apps"]).ok().stdout(),
        format!("# the api\n[api]\n# of the database\ndb_password = {id}  # main\nlog = \"info\"\n")
    );
    assert_eq!(env.run(&["reveal", "api.db_password"]).ok().stdout(), "s3cret");
    env.run(&["move", "api.db_password", "database.password"]).ok();
    assert_eq!(
        env.run(&["show", "apps"]).ok().stdout(),
        format!(
            "# the api\n[api]\nlog = \"info\"\n\n[database]\n# of the database\npassword = {id} # main\n"
        )
    );
    assert_eq!(env.run(&["reveal", "database.password"]).ok().stdout(), "s3cret");
    env.run(&["move", "api", "service"]).ok();
    env.run(&["get", "service.log"]).ok();
    env.run(&["verify"]).ok();
}

#[test]
fn a_table_goes_to_another_box_and_its_secrets_are_for_its_readers_from_then_on() {
    let env = TestEnv::initialised();
    env.run(&["box", "new", "prod", "--readers", "alice"]).ok();
    env.write("pillar/apps.toml", "[api]\nlog = \"info\" # level\n[web]\nport = 1\n");
    env.run_with_input(&["seal", "api.db.pw"], "one").ok();
    env.run_with_input(&["seal", "api.token"], "two").ok();
    let id = shown(&env, "apps", "token");
    env.run(&["move", "--to-in", "prod/apps", "api", "api"]).ok().explains("its readers are now alice");
    assert!(!env.read("pillar/apps.toml").contains("api"));
    assert!(env.read("pillar/prod/apps.toml").contains("log = \"info\" # level"));
    assert_eq!(shown(&env, "prod/apps", "token"), id);
    assert_eq!(env.run(&["reveal", "api.db.pw"]).ok().stdout(), "one");
    assert_eq!(env.run(&["reveal", "api.token"]).ok().stdout(), "two");
    env.run(&["verify"]).ok();
}

#[test]
fn a_file_moves_with_all_that_is_sealed_in_it() {
    let env = TestEnv::initialised();
    env.run_with_input(&["seal", "api.pw"], "one").ok();
    env.run_with_input(&["seal", "--file", "-", "api.data"], [0xff, 0, 0xfe]).ok();
    let before = env.run(&["show", "apps"]).ok().stdout().to_owned();
    env.run(&["move", "pillar/apps.toml", "services"])
        .ok()
        .explains("2 values sealed again")
        .explains("still names apps.toml");
    assert!(!env.workspace().join("pillar/apps.toml").exists());
    assert_eq!(env.run(&["show", "services"]).ok().stdout(), before);
    assert_eq!(env.run(&["reveal", "api.pw"]).ok().stdout(), "one");
    env.run(&["move", "services.toml", "registries/x.toml"]).ok();
    env.run(&["verify"]).ok();
}

#[test]
fn what_is_in_the_way_is_named_and_nothing_is_changed() {
    let env = TestEnv::initialised();
    env.write(
        "pillar/apps.toml",
        "[api]\na = 1\nb = 2\nt = { x = 1 }\n[[rows]]\nc = 1\n[registries.\"x.io\"]\nusername = \"u\"\n",
    );
    env.write("pillar/base.toml", "[web]\nport = 1\n");
    env.run_with_input(&["seal", "--in", "apps", "api.pw"], "CANARY").ok();
    let before = env.files();
    let refused = |arguments: &[&str], code: i32, text: &str| {
        env.run(&[&["move"], arguments].concat()).exits(code).explains(text).lacks("CANARY");
    };
    refused(&["api.a", "api.b"], 64, "pillarbox unset --in apps 'api.b'");
    refused(&["api.a", "api.a"], 64, "is there already");
    refused(&["api", "api.inner"], 64, "one contains the other");
    refused(&["api.t.x", "api.t"], 64, "one contains the other");
    refused(&["api.a", "api.b.c"], 64, "");
    refused(&["api.nope", "api.c"], 1, "there is no `api.nope`");
    refused(&["rows", "lines.rows"], 64, "list of tables");
    refused(&["api.pw", "registries.\"x.io\".username"], 64, "");
    refused(&["registries.\"x.io\".username", "registries.\"x.io\".nick"], 64, "not a field");
    refused(&["api.a", "deploy.x.port"], 64, "not a field");
    refused(&["apps.toml", "base.toml"], 64, "is there already");
    refused(&["apps.toml", "../x.toml"], 64, "not a file of the pillar");
    refused(&["apps", "services"], 1, "pillarbox move 'apps.toml' 'services.toml'");
    refused(&["--in", "base", "apps.toml", "x.toml"], 64, "FROM and TO alone");
    assert_eq!(env.files(), before);
    let said = env.run(&["--no-identity", "move", "api.pw", "api.secret"]).exits(10);
    said.lacks("CANARY");
    assert_eq!(env.files(), before);
}

#[test]
fn killed_at_any_moment_a_file_is_at_one_of_two_places() {
    let env = TestEnv::initialised();
    for n in 0..12 {
        env.run_with_input(&["seal", &format!("api.s{n}")], format!("secret {n}")).ok();
    }
    let (mut here, mut there) = ("apps", "other");
    for round in 0..20_u64 {
        let from = format!("{here}.toml");
        let mut child = env.command(&["move", &from, there]).spawn();
        std::thread::sleep(Duration::from_millis(round * 7 % 90));
        let _ = child.kill();
        let ended = child.wait().expect("its end");
        env.run(&["verify"]).ok().explains("12 sealed values in 1 box: 12 opened");
        let is = |name: &str| env.workspace().join(format!("pillar/{name}.toml")).exists();
        assert!(is(here) != is(there), "round {round}");
        assert!(is(there) || !ended.success(), "round {round}");
        if is(there) {
            (here, there) = (there, here);
        }
    }
    assert_eq!(env.run(&["reveal", "api.s11"]).ok().stdout(), "secret 11");
}
