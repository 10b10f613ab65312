//! One mount, told in two ways.

use crate::compile::tests::container;
use crate::inspect::Inspect;
use serde_json::{Value, json};

/// In what a container with these mounts differs from its declaration.
fn drift(declared: &str, binds: &Value, mounts: &Value) -> Vec<String> {
    let spec = container(&format!("[web.container.running]\nimage = 'a'\n{declared}"), "").spec;
    spec.drift(&Inspect::new(json!({ "HostConfig": { "Binds": binds, "Mounts": mounts } })))
}

#[test]
fn a_mount_that_the_engine_was_told_in_the_other_way_is_the_same_one() {
    let volume = |more: Value| {
        let mut mount = json!({ "Type": "volume", "Source": "data", "Target": "/data" });
        mount.as_object_mut().expect("a mount").extend(more.as_object().cloned().expect("fields"));
        mount
    };
    let bind =
        |more: Value| json!({ "Type": "bind", "Source": "/srv", "Target": "/srv", "BindOptions": more });
    let told = [
        ("data:/data", "{ source = 'data', target = '/data' }", volume(json!({}))),
        (
            "data:/data:ro",
            "{ source = 'data', target = '/data', ro = true }",
            volume(json!({ "ReadOnly": true })),
        ),
        (
            "data:/data:nocopy",
            "{ source = 'data', target = '/data', no_copy = true }",
            volume(json!({ "VolumeOptions": { "NoCopy": true } })),
        ),
        (
            "/srv:/srv",
            "{ type = 'bind', source = '/srv', target = '/srv', create_host_path = true }",
            bind(json!({ "CreateMountpoint": true })),
        ),
        (
            "/srv:/srv:rslave",
            "{ type = 'bind', source = '/srv', target = '/srv', propagation = 'rslave' }",
            bind(json!({ "Propagation": "rslave", "CreateMountpoint": true })),
        ),
    ];
    for (short, long, mount) in told {
        let (binds, none) = (json!([short]), json!([]));
        for declared in [format!("volumes = ['{short}']"), format!("mounts = [{long}]")] {
            assert_eq!(drift(&declared, &binds, &none), Vec::<String>::new(), "{declared}");
            assert_eq!(drift(&declared, &none, &json!([mount])), Vec::<String>::new(), "{declared}");
        }
    }
}

#[test]
fn each_of_several_mounts_is_looked_for_where_it_is_declared() {
    let declared = "volumes = ['data:/data', '/cache']\nmounts = [{ source = 'more', target = '/more' }, { type = 'tmpfs', target = '/run' }]";
    let tmpfs = json!({ "Type": "tmpfs", "Target": "/run" });
    let volume = |source: &str, target: &str| json!({ "Type": "volume", "Source": source, "Target": target });
    let cache = json!({ "Type": "volume", "Target": "/cache" });
    let all = json!([volume("data", "/data"), cache, volume("more", "/more"), tmpfs]);
    assert_eq!(drift(declared, &json!([]), &all), Vec::<String>::new());
    let both = json!(["data:/data:rw", "more:/more:rw"]);
    assert_eq!(drift(declared, &both, &json!([tmpfs, cache])), Vec::<String>::new());
    // An anonymous volume, one that is written to, and another source are missed.
    assert_eq!(drift(declared, &both, &json!([tmpfs])), ["volumes"]);
    assert_eq!(drift(declared, &json!(["data:/data", "more:/more:ro"]), &json!([tmpfs, cache])), ["mounts"]);
    let read_only = "mounts = [{ source = 'data', target = '/data', read_only = true }]";
    assert_eq!(drift(read_only, &json!(["data:/data"]), &json!([])), ["mounts"]);
    assert_eq!(drift(read_only, &json!(["other:/data:ro"]), &json!([])), ["mounts"]);
    assert_eq!(
        drift("volumes = ['data:/data']", &json!([]), &json!([volume("other", "/data")])),
        ["volumes"]
    );
    // One that only the long form has.
    let subpath = json!([{ "Type": "volume", "Source": "data", "Target": "/data", "VolumeOptions": { "Subpath": "a" } }]);
    assert_eq!(drift("volumes = ['data:/data']", &json!([]), &subpath), ["volumes"]);
    assert_eq!(drift(read_only, &json!(["data:/data:ro,Z"]), &json!([])), ["mounts"]);
}
