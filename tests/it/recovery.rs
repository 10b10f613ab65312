//! With pillarbox gone, the `age` program recovers any secret.

use crate::env::{TestEnv, has_program};
use crate::sealing::{box_file, person, post, sealed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[test]
fn two_plain_age_commands_recover_a_secret() {
    if !has_program("age") {
        return;
    }
    let env = TestEnv::initialised();
    let (_, bob) = person(&env, "bob");
    let secret = "correct horse\nbattery ✓";
    post(&env, "apps.toml", "api.db_password", secret);
    let early = sealed(&env, "apps.toml", "api.db_password");
    env.run(&["reader", "add", "bob", &bob]).ok();
    env.run(&["reader", "remove", "bob"]).ok();
    post(&env, "apps.toml", "api.other", "0ther");

    let file = |name: &str, text: &str| {
        let path = env.home().join(name);
        std::fs::write(&path, STANDARD.decode(text).expect("base64")).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let identity = env.identity().to_str().expect("a path").to_owned();
    let lock = file("lock.age", &box_file(&env, "").lock);
    let key = env.program("age", &["-d", "-i", &identity, &lock]).run().ok().stdout().to_owned();
    let key_file = env.home().join("box.key");
    std::fs::write(&key_file, key).expect("written");
    let key_file = key_file.to_str().expect("a path");
    // Also what an older commit holds: the retired key is in the lock.
    let values = [early, sealed(&env, "apps.toml", "api.db_password")];
    for value in values {
        let value = file("value.age", &value.sealed);
        let said = env.program("age", &["-d", "-i", key_file, &value]).run().ok();
        let (header, rest) = said.stdout().split_once("\n\n").expect("a header and the secret");
        let length = header.lines().find_map(|line| line.strip_prefix("len ")).expect("the length");
        assert_eq!(&rest[..length.parse::<usize>().expect("a number")], secret);
        assert!(header.contains("place [\"apps.toml\",\"api\",\"db_password\"]"));
    }
}
