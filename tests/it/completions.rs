//! What bash, zsh and fish complete, in the shells themselves; and what they are told.

use crate::env::TestEnv;
use crate::identities::needs;
use crate::terminal::typed_to;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A workspace with a name of each kind.
fn shop() -> TestEnv {
    let mut env = TestEnv::initialised();
    env.path_first(Path::new(env!("CARGO_BIN_EXE_pillarbox")).parent().expect("a folder"));
    let inventory = env.read("pillarbox.toml");
    env.write(
        "pillarbox.toml",
        format!(
            "{inventory}\n[readers.groups]\nops = [\"alice\"]\n[hosts.web1]\nengine = \"ssh://deploy@web1\"\n"
        ),
    );
    env.write("pillar/prod/apps.toml", "[deploy.api]\nversion = \"2.0.0\"\n");
    env.write("pillar/registries/ghcr.io.toml", "[registries.\"ghcr.io/acme\"]\nusername = \"robot\"\n");
    let inventory = env.read("pillarbox.toml");
    env.write("pillarbox.toml", format!("{inventory}\n[compose.cart]\nfiles = [\"cart.yaml\"]\n"));
    env.write("cart.yaml", "services: {front: {image: \"x:${TAG}\"}, x-a: {}}\n");
    env.write("states/more.toml", "[worker.container.running]\nname = \"queue\"\nimage = \"x\"\n");
    env
}

/// What is offered after these words.
fn offered(env: &TestEnv, words: &[&str]) -> Vec<String> {
    let words = [&["complete-words", "fish", "--", "pillarbox"], words].concat();
    let said = env.run(&words).ok();
    assert_eq!(said.stderr(), "", "a shell shows it in the middle of a line");
    said.stdout().lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn names_of_the_workspace_are_offered_where_they_fit() {
    let env = shop();
    let is = |words: &[&str], wanted: &[&str]| assert_eq!(offered(&env, words), wanted, "{words:?}");
    is(&["plan", "--host", ""], &["local", "web1"]);
    is(&["gate", "set", ""], &["api", "nginx"]);
    is(&["gate", "promote", "api", "--from", "w"], &["web1"]);
    is(&["history", ""], &["cart-front", "nginx", "queue"]);
    is(&["compose", "show", ""], &["cart"]);
    is(&["adopt", "--compose", ""], &["cart"]);
    is(&["rollback", "n"], &["nginx"]);
    is(&["get", "deploy.nginx."], &["deploy.nginx.image", "deploy.nginx.version"]);
    is(&["registry", "remove", ""], &["ghcr.io/acme"]);
    is(&["reader", "remove", ""], &["alice"]);
    is(&["box", "new", "prod", "--readers", "alice,@"], &["alice,@ops"]);
    is(&["reader", "add", "bob", "--box", ""], &["pillar/"]);
    is(&["known", "accept", ""], &["local", "pillar/", "web1"]);
    is(&["edit", "p"], &["prod/apps.toml"]);
    is(&["set", "--in", "a"], &["apps.toml"]);
    is(&["gat"], &["gate"]);
    assert!(offered(&env, &["apply", "--pr"]).contains(&"--prune".to_owned()));
    is(&["-C", "nowhere", "gate", "set", ""], &[]);
    let elsewhere = TestEnv::new();
    let root = env.workspace();
    assert_eq!(
        offered(&elsewhere, &["-C", root.to_str().expect("a path"), "gate", "set", ""]),
        ["api", "nginx"]
    );
}

#[test]
fn only_sealed_keys_are_revealed_and_no_secret_is_shown() {
    let env = shop();
    env.command(&["seal", "--in", "apps", "api.token"]).input("t0ken-of-the-api").run().ok();
    fs::remove_file(env.identity()).expect("no private key");
    assert_eq!(offered(&env, &["reveal", ""]), ["api.token"]);
    assert!(offered(&env, &["get", ""]).contains(&"api.token".to_owned()));
    let all = env.run(&["complete-words", "fish", "--", "pillarbox", "get", ""]).ok();
    all.lacks("t0ken").lacks("robot");
}

#[test]
fn a_workspace_that_is_broken_or_of_others_has_no_names_and_nothing_is_said_or_changed() {
    let env = shop();
    env.write("pillar/broken.toml", "[deploy\n").write("states/broken.toml", "= 1\n");
    let before = env.files();
    assert_eq!(offered(&env, &["gate", "set", ""]), ["api", "nginx"], "the other files still count");
    assert!(before == env.files());
    let (folder, mode) = (env.workspace(), |mode| fs::Permissions::from_mode(mode));
    fs::set_permissions(&folder, mode(0o777)).expect("changed");
    assert_eq!(offered(&env, &["gate", "set", ""]), [""; 0]);
    fs::set_permissions(&folder, mode(0o755)).expect("changed");
    env.write("pillarbox.toml", "workspace = 1\n");
    assert_eq!(offered(&env, &["gate", "set", ""]), [""; 0]);
    assert_eq!(offered(&TestEnv::new(), &["gate", "set", ""]), [""; 0]);
    assert_eq!(offered(&env, &["gat"]), ["gate"], "commands are there without a workspace");
}

#[test]
fn a_name_cannot_write_to_the_terminal() {
    let env = shop();
    env.write(
        "pillar/odd.toml",
        "[deploy.\"a\\u001b[2Jb\"]\nversion = \"1\\u001b[2J\"\n[deploy.odd]\nversion = \"2\\u001b[31m\"\n",
    );
    assert_eq!(offered(&env, &["gate", "set", ""]), ["api", "nginx", "odd"]);
    env.run(&["complete-words", "fish", "--", "pillarbox", "gate", "set", ""]).ok().lacks("\u{1b}");
}

#[test]
fn the_shells_complete_a_command_line_to_its_end() {
    let env = shop();
    needs("zsh", "zsh");
    needs("fish", "fish");
    let shells = [
        ("bash --norc --noprofile -i", "source <(pillarbox completions bash)"),
        ("zsh -f -i", "autoload -U compinit && compinit -u -D && source <(pillarbox completions zsh)"),
        ("fish --no-config -i", "pillarbox completions fish | source"),
    ];
    for (shell, load) in shells {
        let lines = [
            ("", load),
            ("", "echo rea''dy"),
            ("ready", "pillarbox get deploy.nginx.ver\t"),
            ("1.0.0", "pillarbox get regis\t"),
            ("robot", "pillarbox gate list a\t"),
            ("2.0.0", "exit"),
        ];
        let (code, said) = typed_to(&env, &format!("exec env TERM=xterm {shell}"), &lines);
        assert_eq!(code, 0, "{shell}: {said}");
        assert!(said.contains("robot") && said.contains("prod/apps.toml"), "{shell}: {said}");
    }
}

#[test]
fn bash_keeps_what_stands_before_a_colon() {
    let env = shop();
    env.write("pillar/local.toml", "[registries.\"127.0.0.1:5055\"]\nusername = \"robot\"\n");
    let program = "source <(pillarbox completions bash)
        COMP_WORDBREAKS=$' \\t\\n\"\\'@><=;|&(:' COMP_LINE='pillarbox registry remove 127.0.0.1:50'
        COMP_POINT=${#COMP_LINE}
        _pillarbox && printf '%s\\n' \"${COMPREPLY[@]}\"";
    env.program("bash", &["--norc", "-c", program]).run().ok().says("5055").lacks("127.0.0.1");
}
