//! `run` on a real Engine: like the service, found as none of it, and nothing left of it.

use crate::env::{Run, has_program};
use crate::secret_env::{clock, events, forms};
use crate::secret_files::volumes;
use crate::service::Service;
use crate::testbed::eventually;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;
use std::time::{Duration, Instant};

const SECRETS: &str = "secrets.password = { value = \"{{ pillar.api.password }}\" }\nenv.DB = \"pw={{ pillar.api.password }}\"\n\
                       labels = { team = \"blue\" }\nenv.MODE = \"production\"\n";

fn shop() -> Option<Service> {
    let service = Service::deployed(2, "")?;
    service.bed.env.run_with_input(&["seal", "api.password", "--in", "apps"], "CANARY-one-off").ok();
    service.replicas(2, SECRETS);
    service.apply().ok();
    Some(service)
}

fn run<'a>(service: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", service], more].concat()
}

/// Everything of this workspace on the Engine: containers and volumes of secrets.
fn things(service: &Service) -> (Vec<String>, Vec<String>) {
    let mut names: Vec<String> = service
        .bed
        .containers()
        .iter()
        .map(|one| one["Names"][0].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    (names, volumes(&service.bed))
}

pub(crate) fn one_offs(service: &Service) -> Vec<Value> {
    let all = service.bed.containers();
    all.into_iter().filter(|one| one["Labels"]["io.pillarbox.run"] == service.name.as_str()).collect()
}

#[test]
fn a_one_off_command_is_like_the_service_is_not_found_as_it_and_leaves_nothing() {
    let Some(service) = shop() else { return };
    let env = &service.bed.env;
    let name = service.name.as_str();
    let before = things(&service);
    let script = "echo $MODE $DB $MORE; cat /run/secrets/password; echo; id -u; exit 7";
    let said = env.run(&run(name, &["-e", "MORE=1 2", "-u", "5", "--", "sh", "-c", script])).exits(7);
    said.says_only("production pw=CANARY-one-off 1 2\nCANARY-one-off\n5\n")
        .explains("in local/pillarbox-run.");
    let text: String = (0..20_000).map(|n| format!("{n}\n")).collect();
    let back = env.run_with_input(&run(name, &["-T", "-q", "--", "cat"]), &text).ok();
    assert!(back.stdout() == text, "{} bytes came back", back.stdout().len());
    env.run(&run(name, &["--", "no-such-program"])).exits(127).explains("no-such-program");
    env.run(&run(name, &["--timeout", "1s", "--", "sleep", "60"])).exits(124).explains("--timeout");
    env.run(&run("nonsense", &["--", "true"])).exits(125).explains("no host has a service");
    env.run(&["--no-identity", "run", name, "--", "true"]).exits(125).explains("no identity").lacks("CANARY");
    assert_eq!(things(&service), before, "something is left");
}

#[test]
fn what_runs_beside_a_service_has_its_networks_and_image_and_none_of_its_names_and_ports() {
    let Some(service) = shop() else { return };
    let env = &service.bed.env;
    let name = service.name.as_str();
    let made = env.run(&run(name, &["-d", "--keep", "--", "sleep", "600"])).ok();
    let made = made.stdout().trim().to_owned();
    let one = service.bed.engine.inspect(&format!("/containers/{made}/json"));
    let replica = service.bed.engine.inspect(&format!("/containers/{name}/json"));
    assert_eq!(one["Image"], replica["Image"]);
    assert_eq!(one["Config"]["Labels"]["io.pillarbox.run"], name);
    assert!(
        one["Config"]["Labels"]["team"].is_null()
            && one["Config"]["Labels"]["io.pillarbox.service"].is_null()
    );
    let network = &one["NetworkSettings"]["Networks"][&service.bed.name];
    assert!(!network["NetworkID"].is_null(), "{one}");
    let aliases = network["Aliases"].as_array().cloned().unwrap_or_default();
    assert!(!aliases.iter().any(|alias| alias == name), "{aliases:?}");
    assert_eq!(one["HostConfig"]["RestartPolicy"]["Name"], "no");
    // It is seen, and nothing else changes because of it.
    env.run(&["--no-identity", "status"])
        .ok()
        .says(&format!("{made} is of a one-off command of service {name}"));
    env.run(&["plan", "--prune", "--detailed-exitcode"]).ok();
    env.run(&["--no-identity", "logs", name]).ok().lacks("pillarbox-run");
    service.release("healthy", "1.1.0");
    service.apply().ok();
    service.only(2, "1.1.0");
    assert_eq!(one_offs(&service).len(), 1, "an apply leaves it alone");
    // The image of an earlier generation.
    let said = env.run(&run(name, &["-q", "--image-of", "2", "--", "cat", "/www/index.html"])).ok();
    said.says("1.0.0");
    env.run(&run(name, &["--image-of", "9", "--", "true"]))
        .exits(125)
        .explains("generation 9")
        .explains("2, 3");
    service.bed.engine.delete(&format!("/containers/{made}?force=1&v=1"));
}

#[test]
fn an_interrupted_command_is_stopped_by_its_signal_or_killed_and_removed() {
    let Some(service) = shop() else { return };
    let env = &service.bed.env;
    let name = service.name.as_str();
    let before = things(&service);
    for (signal, script, last, code) in [
        ("-INT", "trap 'echo stopped well; exit 3' TERM; echo begun; sleep 60 & wait", "stopped well\n", 130),
        ("-TERM", "trap 'echo not yet' TERM; echo begun; while :; do sleep 1; done", "not yet\n", 143),
        ("-HUP", "trap 'echo stopped well; exit 3' TERM; echo begun; sleep 60 & wait", "stopped well\n", 143),
    ] {
        let began = Instant::now();
        let (mut child, mut rest) = begun(env.command(&run(name, &["-T", "--", "sh", "-c", script])));
        send(&child, signal);
        let mut said = String::new();
        rest.read_to_string(&mut said).expect("text");
        assert_eq!(said, last, "{signal}");
        assert_eq!(child.wait().expect("its end").code(), Some(code), "{signal}");
        assert!(began.elapsed() < Duration::from_secs(40), "{signal}");
        assert_eq!(things(&service), before, "{signal}: something is left");
    }
    // Killed itself: the Engine removes the container when its process ends.
    let (mut child, rest) = begun(env.command(&run(name, &["-T", "--", "sh", "-c", "echo begun; sleep 4"])));
    send(&child, "-KILL");
    child.wait().expect("its end");
    drop(rest);
    assert!(eventually(|| one_offs(&service).is_empty()), "{:?}", one_offs(&service));
    env.run(&["apply", "-y"]).ok();
    assert_eq!(things(&service), before, "the next apply removes the rest");
}

#[test]
fn a_command_on_a_terminal_has_one() {
    let Some(service) = shop() else { return };
    if !has_program("script") {
        return;
    }
    let env = &service.bed.env;
    let command = format!(
        "stty rows 33 cols 101; '{}' run {} -- sh -c 'sleep 1; busybox stty size; exit 9'; echo code $?",
        env!("CARGO_BIN_EXE_pillarbox"),
        service.name
    );
    env.program("script", &["-qec", &command, "/dev/null"]).run().ok().says("33 101\r\n").says("code 9");
}

/// A command that has printed its first line, `begun`.
fn begun(command: Run) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command.spawn();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert_eq!(line, "begun\n");
    (child, out)
}

fn send(child: &Child, signal: &str) {
    let done = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(done.expect("kill").success());
}

#[test]
fn what_was_kept_is_named_stays_in_every_apply_and_is_cleaned_or_taken_down() {
    let Some(service) = shop() else { return };
    let env = &service.bed.env;
    let name = service.name.as_str();
    let before = things(&service);
    env.run(&run(name, &["-q", "--keep", "--", "true"])).ok();
    let goes_on = env.run(&run(name, &["-q", "-d", "--keep", "--", "sleep", "600"])).ok();
    let goes_on = goes_on.stdout().trim().to_owned();
    let left: Vec<String> = one_offs(&service)
        .iter()
        .filter_map(|one| one["Names"][0].as_str())
        .map(|name| name.trim_start_matches('/').to_owned())
        .collect();
    let ended = left.iter().find(|one| **one != goes_on).expect("one that ended").clone();
    let status = env.run(&["--no-identity", "status"]).ok();
    status
        .says(&format!("{ended} is of a one-off command of service {name}: exited"))
        .says(&format!("{goes_on} is of a one-off command of service {name}: running"));
    let cause = format!("container {ended}: a one-off command of {name} that does not run");
    env.run(&["--no-identity", "df"]).ok().says("2 one-off commands").says(&cause).lacks(&goes_on);
    let df = env.run(&["--no-identity", "df", "--json"]).ok().json();
    assert_eq!(df["hosts"][0]["one_offs"], 2, "{df}");
    env.run(&["--no-identity", "clean", "-y", "--older", "1d"]).ok().explains("nothing to do");
    env.run(&["apply", "-y", "--prune"]).ok();
    assert_eq!(one_offs(&service).len(), 2, "an apply leaves them");
    env.run(&["--no-identity", "clean", "-y"]).ok().says(&ended).lacks("CANARY");
    assert_eq!(one_offs(&service).len(), 1, "what runs stays");
    env.run(&["--no-identity", "clean", "-y"]).ok().explains("nothing to do");
    // Its secrets went with it, those of the other one stay.
    assert_eq!(volumes(&service.bed).len(), before.1.len() + 1);
    service.bed.engine.post(&format!("/containers/{goes_on}/kill"), &Value::Null);
    assert!(eventually(|| one_offs(&service).iter().all(|one| one["State"] == "exited")));
    let yes = format!("--yes-remove={name}");
    env.run(&["--no-identity", "down", name, &yes]).ok().says(&goes_on).explains("the next apply creates");
    assert_eq!(things(&service), (Vec::new(), Vec::new()));
    let again = env.run(&["--no-identity", "down", "--all", &format!("--yes-remove={}", service.bed.name)]);
    again.ok();
    let again = env.run(&["--no-identity", "down", "--all", &format!("--yes-remove={}", service.bed.name)]);
    assert!(!again.ok().stderr().contains("the next apply"), "nothing was taken down");
}

#[test]
fn a_service_with_files_and_secrets_runs_a_command_that_has_both_and_nothing_tells_them() {
    let Some(service) = Service::deployed(1, "") else { return };
    let env = &service.bed.env;
    let name = service.name.as_str();
    let secret = format!("canary~?>run/{}", service.bed.name);
    let seen = forms(&secret);
    let absent = |what: &str, text: &str| {
        for form in &seen {
            assert!(!text.contains(form.as_str()), "{what} holds {form:?}");
        }
    };
    env.run_with_input(&["seal", "api.password", "--in", "apps"], &secret).ok();
    let all = |root: &str| {
        format!(
            "{root}secrets.password = {{ value = \"{{{{ pillar.api.password }}}}\", mode = \"0444\" }}\n\
             env.DB = \"pw={{{{ pillar.api.password }}}}\"\n\
             files.\"/etc/clear.cfg\" = {{ content = \"clear\", mode = \"0640\" }}\n\
             files.\"/etc/secret.cfg\" = {{ content = \"key {{{{ pillar.api.password }}}}\" }}\n"
        )
    };
    let since = clock();
    for root in ["", "read_only = true\n"] {
        service.replicas(1, &all(root));
        service.apply().ok();
        let before = things(&service);
        let script = "echo $DB; cat /run/secrets/password /etc/clear.cfg /etc/secret.cfg; ls -ln /etc/clear.cfg; exit 4";
        let said = env.run(&run(name, &["--keep", "-T", "-v", "--", "sh", "-c", script])).exits(4);
        let expected = format!("pw={secret}\n{secret}clearkey {secret}-rw-r-----");
        assert!(said.stdout().starts_with(&expected), "{root}{}", said.stdout());
        absent("what run says of itself", said.stderr());
        let made = one_offs(&service).pop().expect("kept");
        let made = made["Names"][0].as_str().expect("a name").trim_start_matches('/').to_owned();
        let mut inspect = service.bed.engine.container(&made);
        inspect["Config"]["Env"] = Value::Null;
        absent("what the Engine says of it", &inspect.to_string());
        for command in [
            &["status", "-v"][..],
            &["status", "--json"],
            &["status", "--prometheus"],
            &["df"],
            &["plan", "-v"],
            &["clean", "-y", "--json"],
        ] {
            absent("the output", &env.run(command).to_string());
        }
        assert_eq!(things(&service), before, "{root}something is left");
        // What is redacted where it is known, and what a command says itself.
        env.run(&run(name, &["-q", "-T", "--", "true"])).ok().and_nothing_else();
        assert_eq!(things(&service), before, "{root}something is left");
    }
    let events = events(service.bed.engine.socket(), since);
    assert!(events.contains("pillarbox-run."), "no events");
    absent("events", &events);
    absent("volumes", &service.bed.engine.inspect("/volumes").to_string());
}
