//! Files that cannot be written: nothing is changed that could not be finished.

use crate::env::within_mounts;
use crate::shop::Shop;
use std::fs;

#[test]
fn a_workspace_that_is_read_only_can_be_planned_and_applied() {
    let Some(shop) = Shop::new() else { return };
    let binary = env!("CARGO_BIN_EXE_pillarbox");
    let script = format!(
        "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\" && ! touch x && {binary} apply -y"
    );
    let Some(output) = within_mounts(&shop.env, &script) else { return };
    output.ok();
    shop.only("web 1.0.0");
    shop.rests();
}

#[test]
fn a_plan_that_cannot_be_stored_leaves_no_half_of_a_file() {
    let Some(shop) = Shop::new() else { return };
    let binary = env!("CARGO_BIN_EXE_pillarbox");
    let script = format!(
        "mkdir ~/full && mount -t tmpfs -o size=4k none ~/full && head -c 4096 /dev/zero >~/full/filler; \
         {binary} plan -o ~/full/plan.json; code=$?; ls -A ~/full; exit $code"
    );
    let Some(output) = within_mounts(&shop.env, &script) else { return };
    let checked = output.exits(1).explains("plan.json");
    assert_eq!(checked.stdout().lines().last(), Some("filler"), "{}", checked.stdout());
}

#[test]
fn where_nothing_can_be_remembered_nothing_is_sent() {
    let Some(shop) = Shop::deployed() else { return };
    shop.release("serve", "1.1.0");
    let before = shop.identity(&shop.web);
    let state = shop.env.home().join(".local/state");
    fs::remove_dir_all(&state).expect("what is known");
    fs::create_dir_all(state.join("pillarbox")).expect("its folder");
    let binary = env!("CARGO_BIN_EXE_pillarbox");
    let script = format!("mount -t tmpfs -o ro none ~/.local/state/pillarbox && {binary} apply -y");
    let Some(output) = within_mounts(&shop.env, &script) else { return };
    output.exits(1).explains("known.toml");
    assert_eq!(shop.identity(&shop.web), before);
    shop.apply().ok();
    shop.only("web 1.1.0");
}
