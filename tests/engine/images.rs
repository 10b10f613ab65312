//! Images on a real Engine: those that nothing needs go, and no other.

use crate::service::Service;
use serde_json::{Value, json};

impl Service {
    /// Every name of an image of this test.
    pub(crate) fn image_names(&self) -> Vec<String> {
        let part = format!("/{}/", self.bed.name);
        let keep = format!("pillarbox.invalid/{}", self.bed.name);
        let images = self.bed.engine.images();
        let names = images.iter().flat_map(|image| {
            ["RepoTags", "RepoDigests"]
                .into_iter()
                .flat_map(|key| image[key].as_array().into_iter().flatten())
        });
        let names =
            names.filter_map(Value::as_str).filter(|name| name.contains(&part) || name.starts_with(&keep));
        names.map(str::to_owned).collect()
    }

    /// The digest of a version, as the test pushed it.
    pub(crate) fn digest_of(&self, kind: &str, version: &str) -> String {
        let (_, digest) = self.bed.push(kind, "api", version);
        format!("{}@{digest}", self.repository)
    }

    fn has(&self, version: &str) -> bool {
        self.bed.engine.find_image(&self.digest_of("healthy", version)).is_some()
    }

    fn upgrade(&self, version: &str) -> String {
        self.release("healthy", version);
        let output = self.apply().ok();
        self.only(1, version);
        output.stdout().to_owned()
    }
}

#[test]
fn images_that_nothing_needs_go_after_an_apply_and_the_plan_says_so() {
    let Some(service) = Service::deployed(1, "retain = 1") else { return };
    service.upgrade("1.1.0");
    assert!(service.has("1.0.0") && service.has("1.1.0"));
    let said = service.upgrade("1.2.0");
    let gone = service.digest_of("healthy", "1.0.0").replace("sha256:", "");
    let gone = &gone[..gone.find('@').expect("a digest") + 13];
    assert!(
        said.contains(&format!("-   image {gone}")) && said.contains("nothing needs it any more"),
        "{said}"
    );
    assert!(
        !service.has("1.0.0") && service.has("1.1.0") && service.has("1.2.0"),
        "{:?}",
        service.image_names()
    );
    service.bed.env.run(&["--no-identity", "plan", "--detailed-exitcode"]).ok();

    // Images without containers are kept where that is said, and one of them comes back without a registry.
    service.replicas(1, "retain = 0\nimages.keep = 2");
    service.upgrade("1.3.0");
    service.upgrade("1.4.0");
    assert!(!service.has("1.1.0"), "{:?}", service.image_names());
    assert!(service.has("1.2.0") && service.has("1.3.0"), "{:?}", service.image_names());
    service.bed.env.run(&["rollback", &service.name, "--to", "4", "-y"]).ok();
    let image = service.bed.engine.container(&service.name)["Config"]["Image"].clone();
    let (_, digest) = service.bed.push("healthy", "api", "1.3.0");
    assert!(image.as_str().is_some_and(|image| image.ends_with(&digest)), "{image}");

    // Declared no more: its images go with it.
    service.bed.env.write("states/api.toml", "");
    service.bed.env.run(&["apply", "-y", "--prune"]).ok();
    let left = service.image_names();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn images_that_others_named_or_use_stay_and_so_do_all_where_that_is_said() {
    let Some(service) = Service::deployed(1, "retain = 0") else { return };
    let tag = |version: &str| {
        let path = format!(
            "/images/{}/tag?repo={}/backup&tag={version}",
            service.digest_of("healthy", version),
            service.repository
        );
        service.bed.engine.request("POST", &path, None).expect("an answer");
    };
    tag("1.0.0");
    service.upgrade("1.1.0");
    assert!(service.has("1.0.0"), "it has a tag of others");

    let body = json!({ "Image": service.digest_of("healthy", "1.1.0") });
    let path = format!("/containers/create?name={}-stranger", service.bed.name);
    service.bed.engine.post(&path, &body);
    service.upgrade("1.2.0");
    assert!(service.has("1.1.0"), "a container of others was made from it");

    service.replicas(1, "retain = 0\nimages = { keep = \"all\" }");
    service.upgrade("1.3.0");
    assert!(service.has("1.2.0"));
    assert!(service.image_names().iter().any(|name| name.starts_with("pillarbox.invalid/")));
}
