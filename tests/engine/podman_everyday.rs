//! The commands of an ordinary day on Podman: logs, exec, run, restart, stop and start, df, clean, down.

use crate::shop::Shop;
use crate::testbed::eventually;
use serde_json::json;

/// Counts, one number each tenth of a second.
const COUNTS: &str = "trap 'exit 0' TERM; n=0; while :; do n=$((n+1)); echo line $n; sleep 0.1; done";

/// A service of two containers that count.
fn counting() -> Option<Shop> {
    let shop = Shop::on_podman()?;
    shop.seal("web.password", "CANARY-of-the-day");
    let (web, image) = (&shop.web, shop.image());
    shop.env.write(
        "states/web.toml",
        format!(
            "[web.service.deployed]\nname = \"{web}\"\nimage = \"{image}\"\nreplicas = 2\nstop_timeout = \"2s\"\n\
             restart = \"always\"\nenv.MODE = \"production\"\nsecrets.password = \"{{{{ pillar.web.password }}}}\"\n\
             command = [\"sh\", \"-c\", \"{COUNTS}\"]\nupdate = {{ monitor = \"1s\", drain = \"0s\" }}\n"
        ),
    );
    shop.apply().ok();
    Some(shop)
}

fn running(shop: &Shop) -> usize {
    shop.containers().iter().filter(|one| one["State"] == "running").count()
}

#[test]
fn logs_on_podman_are_all_there_in_their_order_and_can_be_chosen_from() {
    let Some(shop) = counting() else { return };
    let (env, web) = (&shop.env, shop.web.as_str());
    let logs = |more: &[&str]| env.run(&[&["--no-identity", "logs", web], more].concat()).ok();
    let all = || logs(&["--index", "2", "-n", "all", "--no-prefix"]).stdout().to_owned();
    assert!(eventually(|| all().lines().count() > 12), "twelve lines");
    for (number, line) in all().lines().enumerate() {
        assert_eq!(line, format!("line {}", number + 1));
    }
    assert_eq!(logs(&["-n", "3"]).stdout().lines().count(), 6);
    let times = logs(&["-t", "--no-prefix", "-n", "5"]);
    let times: Vec<&str> = times.stdout().lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(times.len() == 10 && times.is_sorted(), "{times:?}");
    let chosen = logs(&["--grep", "line 1?2$", "-n", "all"]);
    assert!(chosen.stdout().lines().all(|line| line.ends_with("line 2") || line.ends_with("line 12")));
    assert!(chosen.stdout().lines().count() >= 2);
}

#[test]
fn a_command_in_a_container_of_podman_has_its_input_its_two_outputs_and_its_code() {
    let Some(shop) = counting() else { return };
    let (env, web) = (&shop.env, shop.web.as_str());
    let exec = |more: &[&'static str]| [&["--no-identity", "exec", web], more].concat();
    let said = env.run(&exec(&["--", "sh", "-c", "echo out; echo err >&2; exit 7"])).exits(7);
    said.says_only("out\n").explains("err\n");
    let text: String = (0..50_000).map(|n| format!("{n}\n")).collect();
    let back = env.run_with_input(&exec(&["-T", "--", "cat"]), &text).ok();
    assert!(back.stdout() == text, "{} bytes came back", back.stdout().len());
    let script = "echo $A; id -u; echo $PWD";
    let said = env.run(&exec(&["-i", "-e", "A=1 2", "-u", "7:8", "-w", "/www", "--", "sh", "-c", script]));
    said.ok().says_only("1 2\n7\n/www\n");
    env.run(&exec(&["--index", "9", "--", "true"])).exits(125).explains("has no running container");
    env.run(&exec(&["--", "no-such-program"])).exits(127).explains("no-such-program");
}

#[test]
fn a_one_off_command_on_podman_is_like_the_service_and_leaves_nothing() {
    let Some(shop) = counting() else { return };
    let (env, web) = (&shop.env, shop.web.as_str());
    let run = |more: &[&'static str]| [&["run", web], more].concat();
    let before = shop.names();
    let script = "echo $MODE $MORE; cat /run/secrets/password; echo; exit 7";
    let said = env.run(&run(&["-e", "MORE=1 2", "--", "sh", "-c", script])).exits(7);
    said.says_only("production 1 2\nCANARY-of-the-day\n");
    let text: String = (0..20_000).map(|n| format!("{n}\n")).collect();
    let back = env.run_with_input(&run(&["-T", "-q", "--", "cat"]), &text).ok();
    assert!(back.stdout() == text, "{} bytes came back", back.stdout().len());
    env.run(&run(&["--", "no-such-program"])).exits(127).explains("no-such-program");
    env.run(&run(&["--timeout", "1s", "--", "sleep", "60"])).exits(124).explains("--timeout");
    assert_eq!(shop.names(), before, "something is left");
}

#[test]
fn what_is_stopped_on_podman_stays_so_until_it_is_started_and_a_restart_keeps_the_containers() {
    let Some(shop) = counting() else { return };
    let (env, web) = (&shop.env, shop.web.as_str());
    let id = |name: &str| shop.inspect(name)["Id"].clone();
    let (first, names) = (id(web), shop.names());
    let started = || shop.inspect(web)["State"]["StartedAt"].clone();
    let before = started();
    env.run(&["--no-identity", "restart", web, "-y"]).ok();
    assert_eq!((id(web), running(&shop)), (first.clone(), 2));
    assert_ne!(started(), before);
    shop.rests();

    env.run(&["stop", web, "-y", "-m", "a new disk"]).ok();
    assert_eq!(running(&shop), 0);
    shop.apply().ok();
    assert_eq!(running(&shop), 0, "an apply starts nothing of it");
    env.run(&["status", "--exit-code"]).ok().says("stopped by").says("a new disk");
    env.run(&["--no-identity", "start", web]).ok();
    assert_eq!((id(web), shop.names(), running(&shop)), (first.clone(), names, 2));
    assert_eq!(shop.inspect(web)["HostConfig"]["RestartPolicy"]["Name"], json!("always"));
    shop.rests();

    let said = env.run(&["restart", web, "--new", "-y"]).ok();
    said.says("a new container is asked for").lacks("CANARY");
    assert_ne!(id(web), first);
    assert_eq!(running(&shop), 2);
    shop.rests();
}

#[test]
fn what_is_counted_cleaned_and_taken_down_on_podman_is_ours() {
    let Some(shop) = counting() else { return };
    let (env, web) = (&shop.env, shop.web.as_str());
    env.run(&["--no-identity", "ps", "-v"]).ok().says(web).lacks("CANARY");
    env.run(&["--no-identity", "df"]).ok().says("2 running").lacks("CANARY");
    env.run(&["--no-identity", "clean", "-y"]).ok();
    assert_eq!(running(&shop), 2);
    shop.rests();
    let yes = format!("--yes-remove={web}");
    env.run(&["--no-identity", "down", web, &yes]).ok();
    assert_eq!(shop.names(), Vec::<String>::new());
    shop.apply().ok();
    assert_eq!(running(&shop), 2);
}
