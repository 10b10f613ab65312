//! A workspace that deploys one web service from the private registry, in the article's four states.

use crate::env::Output;
use crate::testbed::EngineEnv;
use serde_json::{Value, json};
use std::ops::Deref;

/// The workspace and the service in it.
pub(crate) struct Shop {
    /// Its home, the Engine and the registry.
    pub(crate) bed: EngineEnv,
    /// The container's name, unique on the Engine.
    pub(crate) web: String,
    /// The port that it is published on.
    pub(crate) port: u16,
    /// Its repository, with the registry.
    pub(crate) repository: String,
    /// The digest of its first version.
    digest: String,
}

impl Deref for Shop {
    type Target = EngineEnv;
    fn deref(&self) -> &EngineEnv {
        &self.bed
    }
}

impl Shop {
    /// The registry's credential is in the pillar, version 1.0.0 is pushed and wanted, nothing runs.
    pub(crate) fn new() -> Option<Self> {
        let shop = Self::without_credential()?;
        shop.credential(&shop.user, &shop.password);
        Some(shop)
    }

    /// The same, deployed.
    pub(crate) fn deployed() -> Option<Self> {
        let shop = Self::new()?;
        shop.apply().ok();
        shop.answers(shop.port, "web 1.0.0");
        Some(shop)
    }

    /// The same without the credential.
    pub(crate) fn without_credential() -> Option<Self> {
        Some(Self::of(EngineEnv::initialised(&["web"])?))
    }

    /// The same on Podman, with the credential.
    pub(crate) fn on_podman() -> Option<Self> {
        let shop = Self::of(EngineEnv::on_podman(&["web"])?);
        shop.credential(&shop.user, &shop.password);
        Some(shop)
    }

    /// The image of version 1.0.0 by its digest: Podman cannot ask what a tag stands for.
    pub(crate) fn image(&self) -> String {
        format!("{}:1.0.0@{}", self.repository, self.digest)
    }

    fn of(bed: EngineEnv) -> Self {
        let (repository, digest) = bed.push("serve", "web", "1.0.0");
        let (web, port) = (format!("{}-web", bed.name), bed.port());
        let shop = Self { bed, web, port, repository, digest };
        shop.env.write(
            "pillar/apps.toml",
            format!(
                "# What may run.\n[deploy.web]\nimage = \"{}\"\nversion = \"1.0.0\"\n\n[web]\nport = {port}\n",
                shop.repository
            ),
        );
        shop.options("");
        shop
    }

    /// Writes the four states, with more lines for the container.
    pub(crate) fn options(&self, more: &str) -> &Self {
        let web = &self.web;
        self.env.write(
            "states/web.toml",
            format!(
                r#"
[web_image.image.pulled]
name = "{{{{ pillar.deploy.web.image }}}}"
tag = "{{{{ pillar.deploy.web.version }}}}"
force = true

[web_old.container.absent]
name = "{web}"
when = "outdated"
require = ["web_image"]

[web_made.container.installed]
name = "{web}"
image = "{{{{ pillar.deploy.web.image }}}}:{{{{ pillar.deploy.web.version }}}}"
ports = ["{{{{ pillar.web.port }}}}:80"]
stop_timeout = "2s"
monitor = "1s"
require = ["web_old"]
{more}

[web_up.container.running]
name = "{web}"
require = ["web_made"]
"#
            ),
        );
        self
    }

    /// Does not watch new containers for a second.
    pub(crate) fn hasty(&self) {
        let text = self.env.read("states/web.toml").replace("monitor = \"1s\"", "monitor = \"0s\"");
        self.env.write("states/web.toml", text);
    }

    /// Wants the container away.
    pub(crate) fn absent(&self) {
        self.env.write("states/web.toml", format!("[gone.container.absent]\nname = \"{}\"\n", self.web));
    }

    /// Wants another version, which was pushed before.
    pub(crate) fn version(&self, version: &str) -> &Self {
        self.set("deploy.web.version", version);
        self
    }

    /// `set KEY VALUE`.
    #[track_caller]
    pub(crate) fn set(&self, key: &str, value: &str) {
        self.env.run(&["set", key, value]).ok();
    }

    /// `registry add`, also over an entry that is there.
    #[track_caller]
    pub(crate) fn credential(&self, user: &str, password: &str) {
        let arguments = ["registry", "add", &self.registry, "-u", user, "--password-stdin"];
        self.env.run_with_input(&arguments, format!("{password}\n")).ok();
    }

    /// `seal KEY`.
    #[track_caller]
    pub(crate) fn seal(&self, key: &str, secret: &str) {
        self.env.run_with_input(&["seal", key, "--in", "apps"], format!("{secret}\n")).ok();
    }

    /// Pushes a version of the image, of a kind that `scripts/image` knows, and wants it.
    pub(crate) fn release(&self, kind: &str, version: &str) -> &Self {
        self.push(kind, "web", version);
        self.version(version)
    }

    /// `apply -y`.
    pub(crate) fn apply(&self) -> Output {
        self.env.run(&["apply", "-y"])
    }

    /// Applying has nothing to do, and says so.
    #[track_caller]
    pub(crate) fn rests(&self) {
        self.env.run(&["plan", "--detailed-exitcode"]).ok().says("no changes");
        self.apply().ok().says("no changes");
    }

    /// The container is all that there is of this workspace, it works and answers with this page; of its
    /// images only the one that it runs is kept.
    #[track_caller]
    pub(crate) fn only(&self, page: &str) {
        self.answers(self.port, page);
        assert_eq!(self.names(), [self.web.as_str()], "leftovers, or nothing");
        let generation = self.label(&self.web, "generation");
        let version = self.label(&self.web, "version");
        let kept = format!("pillarbox.invalid/{}/{}:g{generation}-{version}", self.name, self.web);
        assert_eq!(self.kept(), [kept], "tags that keep images");
    }

    /// What the Engine says of a container.
    #[track_caller]
    pub(crate) fn inspect(&self, name: &str) -> Value {
        self.engine.container(name)
    }

    /// One of our labels on a container.
    #[track_caller]
    pub(crate) fn label(&self, name: &str, label: &str) -> String {
        let inspect = self.inspect(name);
        let found = &inspect["Config"]["Labels"][format!("io.pillarbox.{label}")];
        found.as_str().unwrap_or_else(|| panic!("{name} has no label {label}")).to_owned()
    }

    /// What tells whether a container was touched: its id, since when it runs, its name.
    #[track_caller]
    pub(crate) fn identity(&self, name: &str) -> Value {
        let inspect = self.inspect(name);
        json!([inspect["Id"], inspect["State"]["StartedAt"], inspect["Name"], inspect["State"]["Running"]])
    }

    /// The names of all containers of this workspace.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |container: &Value| {
            let name = container["Names"][0].as_str().unwrap_or_default();
            name.trim_start_matches('/').to_owned()
        };
        let mut names: Vec<String> = self.containers().iter().map(name).collect();
        names.sort();
        names
    }

    /// The tags that keep this workspace's images from being pruned.
    pub(crate) fn kept(&self) -> Vec<String> {
        let images = self.engine.images();
        let tags = images.iter().flat_map(|image| image["RepoTags"].as_array());
        let ours = format!("pillarbox.invalid/{}/", self.name);
        let ours = tags.flatten().filter_map(Value::as_str).filter(|tag| tag.starts_with(&ours));
        let mut tags: Vec<String> = ours.map(str::to_owned).collect();
        tags.sort();
        tags
    }

    /// Ends the lease of an apply that was killed: a test does not wait three minutes for that.
    pub(crate) fn lease_is_over(&self) {
        let volumes = self.engine.volumes();
        let locks = volumes.iter();
        let ours = format!("pillarbox-lock.{}.", self.name);
        for name in locks.filter_map(|volume| volume["Name"].as_str()).filter(|name| name.starts_with(&ours))
        {
            self.engine.delete(&format!("/volumes/{name}"));
        }
    }
}
