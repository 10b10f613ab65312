//! The data in anonymous volumes, of an image and of a declaration, on Docker and on Podman.

use crate::env::Output;
use crate::testbed::EngineEnv;
use std::collections::BTreeMap;

/// A container whose image has a volume that it writes to.
struct Data {
    bed: EngineEnv,
    name: String,
    port: u16,
    repository: String,
    digests: BTreeMap<&'static str, String>,
}

impl Data {
    fn new(bed: Option<EngineEnv>) -> Option<Self> {
        let bed = bed?;
        bed.add_registry();
        let mut repository = String::new();
        let mut digests = BTreeMap::new();
        for tag in ["1", "2", "3"] {
            let (pushed, digest) = bed.push_data("db", tag);
            digests.insert(tag, digest);
            repository = pushed;
        }
        Some(Self { name: format!("{}-db", bed.name), port: bed.port(), repository, digests, bed })
    }

    fn image(&self, tag: &str) -> String {
        format!("{}:{tag}@{}", self.repository, self.digests[tag])
    }

    /// Deploys a version as a service that keeps one generation, with more options.
    fn deployed(&self, tag: &str, more: &str) -> Output {
        let state = format!(
            "[db.service.deployed]\nname = \"{}\"\nimage = \"{}\"\nretain = 1\nstop_timeout = \"2s\"\n\
             ports = [\"{}:80\"]\nupdate = {{ monitor = \"1s\" }}\n{more}\n",
            self.name,
            self.image(tag),
            self.port
        );
        self.bed.env.write("states/db.toml", state);
        self.bed.env.run(&["apply", "-y"])
    }

    /// The volume that a container mounts at a place.
    fn volume(&self, container: &str, at: &str) -> String {
        let found = self.bed.engine.container(container);
        let mounts = found["Mounts"].as_array().cloned().unwrap_or_default();
        let mount = mounts.into_iter().find(|mount| mount["Destination"] == at);
        mount.map(|mount| mount["Name"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
    }

    fn is_there(&self, volume: &str) -> bool {
        self.bed.engine.volumes().iter().any(|one| one["Name"] == volume)
    }

    #[track_caller]
    fn rests(&self) {
        self.bed.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
    }
}

fn data_goes_from_version_to_version_and_back(data: &Data) {
    let cache = "volumes = [\"/cache\"]";
    data.deployed("1", cache).ok();
    data.bed.answers(data.port, "1");
    let (volume, cached) = (data.volume(&data.name, "/data"), data.volume(&data.name, "/cache"));
    assert_eq!((volume.len(), cached.len()), (64, 64));
    data.rests();
    data.deployed("2", cache)
        .ok()
        .says("its data at /data comes along")
        .says("its data at /cache comes along");
    data.bed.answers(data.port, "1\n2");
    assert_eq!(
        (data.volume(&data.name, "/data"), data.volume(&data.name, "/cache")),
        (volume.clone(), cached.clone())
    );
    data.rests();
    // Twice: what has it by name hands it on as well; the first generation goes, the data does not.
    data.deployed("3", cache).ok();
    data.bed.answers(data.port, "1\n2\n3");
    assert!(data.is_there(&volume) && data.is_there(&cached));
    data.bed.env.run(&["apply", "--fix-drift", "-y"]).ok();
    data.rests();
    data.deployed("2", cache).ok();
    assert_eq!(data.volume(&data.name, "/data"), volume);
    // A container that goes leaves its data, and the plan says where.
    data.bed.env.write("states/db.toml", format!("[db.container.absent]\nname = \"{}\"\n", data.name));
    data.bed.env.run(&["apply", "-y"]).ok().says(&format!("'docker volume rm {volume}' removes it"));
    assert!(data.bed.containers().is_empty());
    for left in [&volume, &cached] {
        assert!(data.is_there(left));
        data.bed.engine.delete(&format!("/volumes/{left}"));
    }
}

#[test]
fn data_goes_from_version_to_version_and_back_on_docker() {
    let Some(data) = Data::new(EngineEnv::initialised(&["db"])) else { return };
    data_goes_from_version_to_version_and_back(&data);
}

#[test]
fn data_goes_from_version_to_version_and_back_on_podman() {
    let Some(data) = Data::new(EngineEnv::on_podman(&["db"])) else { return };
    data_goes_from_version_to_version_and_back(&data);
}

#[test]
fn a_failed_attempt_and_a_generation_take_only_what_is_theirs() {
    let Some(data) = Data::new(EngineEnv::initialised(&["db"])) else { return };
    data.deployed("1", "").ok();
    let volume = data.volume(&data.name, "/data");
    data.deployed("2", "volumes = [\"/cache\"]\ncommand = [\"false\"]").exits(3);
    data.bed.answers(data.port, "1\n1");
    let attempt = format!("{}.g2", data.name);
    let cache = data.volume(&attempt, "/cache");
    assert_eq!(data.volume(&attempt, "/data"), volume);
    data.deployed("3", "").ok().says("its data at /cache goes with it");
    assert!(!data.is_there(&cache) && data.is_there(&volume));
    data.bed.answers(data.port, "1\n1\n3");
    data.rests();
    // Adopted: a container of others hands its data on as well.
    data.bed.env.write("states/db.toml", format!("[db.container.absent]\nname = \"{}\"\n", data.name));
    data.bed.env.run(&["apply", "-y"]).ok();
    data.bed.engine.delete(&format!("/volumes/{volume}"));
}
