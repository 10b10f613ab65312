//! The command line as such: exit codes, where text goes, JSON errors, the helper's answers.

use crate::env::TestEnv;

#[test]
fn a_wrong_command_line_exits_with_64_and_says_so_on_standard_error() {
    let env = TestEnv::new();
    let wrong = [
        &["frobnicate"][..],
        &["version", "--frobnicate"],
        &["-q", "-v", "version"],
        &["--color", "sometimes", "version"],
        &["--identity", "x", "--no-identity", "version"],
        &[],
    ];
    for arguments in wrong {
        let said = env.run(arguments).exits(64);
        assert!(said.stdout().is_empty() && !said.stderr().is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_and_version_are_data() {
    let env = TestEnv::new();
    for arguments in [&["--help"][..], &["help"], &["version", "--help"]] {
        let said = env.run(arguments).ok().says("Usage: pillarbox");
        assert!(said.stderr().is_empty());
    }
    let version = format!("pillarbox {}\n", env!("CARGO_PKG_VERSION"));
    for arguments in [&["version"][..], &["--version"], &["-V"], &["-q", "version"]] {
        assert_eq!(env.run(arguments).ok().stdout(), version);
    }
    assert_eq!(env.run(&["--json", "version"]).ok().json()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_commands_in_the_order_of_work() {
    let said = TestEnv::new().run(&["--help"]).ok();
    let commands = said.stdout().split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    insta::assert_snapshot!(commands.expect("a list of commands"), @r"
    init          Make a workspace with commented examples, and a private key if you have none
    identity      Make a private key, print its public half, unlock it for some hours
    box           Who opens what: list the boxes, or make one
    reader        Who can open a box: list, add, remove; make locks agree with keys/
    registry      Credentials of registries: add, import, export, check; docker and podman ask for
                  them
    set           Set a value in clear; comments and order stay
    get           Print a value in clear, or a table as TOML
    unset         Remove a value, sealed or in clear, or a table with all that is in it
    seal          Seal a secret into the pillar; needs no private key
    reveal        Open a sealed value and print it, byte for byte
    edit          Edit a pillar file with its secrets in clear; what changed is sealed again
    show          Print a pillar file with sealed values as `(sealed 9f2c)`; needs no private key
    move          Move a key, a table or a file; what is sealed in it is sealed again for its new
                  place, ids are kept
    gate          Set exactly which version of an application runs
    plan          Show what would change, and why; changes nothing
    apply         Make hosts what the states declare: plan, ask, carry out
    status        Show what runs where: version, generation, health, and what an apply would change
                  [alias: ps]
    logs          Show the logs of services, of all replicas on all hosts in the order of time
    exec          Run a command, or a shell, in a running container of a service
    run           Run a one-off command in a new container that is made like those of a service
    adopt         Adopt containers that pillarbox did not make, without a restart
    history       Show what was done: the runs on this machine, one of them, or the generations of a
                  service
    rollback      Bring back what a service ran before: on every selected host, or on none
    restart       Restart a service, one container after another, each until it works
    stop          Stop a service, and keep it so: no apply starts it again until `start`
    start         Start a service that was stopped, as it is there, and wait until it works
    down          Remove a service from hosts: containers, images, networks; its data only with
                  --volumes
    df            Show what takes room on the disks of hosts, and what `clean` would remove
    clean         Remove failed attempts and images of this workspace that nothing needs any more
    lock          Who holds the locks of hosts: list them, break one that was left behind
    compile       Print the desired state of hosts as JSON; a host is asked only where a state needs
                  its facts
    compose       Look at projects of Docker Compose, and take one into the workspace
    import        Import the states, pillar and hosts of another tool
    verify        Check every box, lock, sealed value, reader and copy; or list what a change touches
    who-can-read  List who can open a secret, since when and by which box: now, or at a date or commit
    known         What this machine knows of boxes and hosts: list, accept what changed, forget
    merge-driver  Merge a pillar file or box.toml by key, for git; opens no secret
    doctor        Check keys, boxes, permissions, Engines and helpers, with a fix for each finding
    completions   Print completions for a shell
    man           Print the manual page, every command included
    version       Print the version
    help          Print this message or the help of the given subcommand(s)
    ");
}

#[test]
fn help_ends_with_every_exit_code() {
    let said = TestEnv::new().run(&["--help"]).ok();
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "64", "130"] {
        assert!(
            said.stdout().lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))),
            "{code}"
        );
    }
}

#[test]
fn completions_and_the_manual_page_name_every_command() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish"] {
        env.run(&["completions", shell]).ok().says(&format!("complete-words {shell}"));
    }
    for shell in ["elvish", "powershell"] {
        env.run(&["completions", shell]).ok().says("completions").says("version");
    }
    let all = env.run(&["complete-words", "fish", "--", "pillarbox", ""]).ok();
    all.says("completions\tPrint").says("version\tPrint");
    let page = env
        .run(&["man"])
        .ok()
        .says(".TH pillarbox 1")
        .says(".SH \"EXIT STATUS\"")
        .says(".SS \"pillarbox completions");
    assert!(page.stderr().is_empty());
    env.run(&["completions", "cmd.exe"]).exits(64).explains("possible values");
}

#[test]
fn standard_output_that_is_full_is_an_error_and_one_that_is_closed_is_not() {
    let env = TestEnv::new();
    let shell = |line: &str| {
        let line = line.replace("PILLARBOX", concat!("'", env!("CARGO_BIN_EXE_pillarbox"), "'"));
        env.program("sh", &["-c", &line]).run()
    };
    shell("PILLARBOX man > /dev/full").exits(1).explains("could not write to standard output");
    shell("PILLARBOX man | head -c 1; exit ${PIPESTATUS:-0}").ok().lacks("error");
    let line = "{ PILLARBOX man; echo $? >&3; } 3>&1 >/dev/null | cat";
    assert_eq!(shell(line).ok().stdout(), "0\n");
}

#[test]
fn words_of_other_tools_are_answered_with_our_command() {
    let env = TestEnv::new();
    for (word, command) in [
        ("up", "pillarbox apply"),
        ("top", "pillarbox status"),
        ("log", "pillarbox logs SERVICE"),
        ("inspect", "docker -H ssh://USER@HOST"),
        ("reboot", "pillarbox restart SERVICE"),
        ("destroy", "container.absent"),
        ("secret", "pillarbox seal KEY"),
        ("scale", "replicas"),
    ] {
        env.run(&[word, "web"])
            .exits(64)
            .explains(&format!("pillarbox has no command `{word}`"))
            .explains(command)
            .lacks("did you mean");
    }
    env.run(&["gate", "up"]).exits(64).explains("unrecognized subcommand 'up'");
    env.run(&["aply"]).exits(64).explains("apply");
}
