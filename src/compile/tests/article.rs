//! The four states of the article.

use super::*;
use crate::desired::Run;
use crate::name::ImageRef;

pub(super) const NGINX: &str = r#"
[nginx_image.image.pulled]
name  = "registry.example.com/web/nginx"
tag   = "{{ pillar.deploy.nginx.version }}"
force = true                              # ask the registry even if the tag is there already
[nginx_old.container.absent]
name = "nginx"
when = "outdated"                         # only if it is not what installed/running ask for
[nginx_made.container.installed]
name  = "nginx"
image = "registry.example.com/web/nginx:{{ pillar.deploy.nginx.version }}"
ports = ["8080:80"]
require = ["nginx_image"]
order = 210
[nginx_up.container.running]
name = "nginx"
require = ["nginx_made"]
"#;

#[test]
fn the_four_states_are_one_image_and_one_container_made_from_it() {
    let desired = compiled(&[("states/nginx.toml", NGINX)], "[deploy.nginx]\nversion = '1.8.2'\n")
        .expect("it compiles");
    let [image, nginx] = desired.items.as_slice() else { panic!("two items: {desired:#?}") };
    let wanted = ImageRef::parse("registry.example.com/web/nginx:1.8.2").expect("a reference");
    assert_eq!(image.want, DesiredState::ImagePulled { image: wanted.clone(), force: true });
    assert_eq!(nginx.needs, std::slice::from_ref(&image.address));
    let ids: Vec<&str> = nginx.declared.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["nginx_old", "nginx_made", "nginx_up"]);
    let DesiredState::Container(container) = &nginx.want else { panic!("a container") };
    assert_eq!((&container.image, container.run), (&wanted, Run::Running));
    assert_eq!((container.monitor, container.start_timeout, container.stop_timeout), (3, None, None));
    let lines: Vec<String> = container.sources["image"].iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["pillar/apps.toml:2", "states/nginx.toml:11"]);
    insta::assert_snapshot!(container.spec.create_body(), @r#"{"ExposedPorts":{"80/tcp":{}},"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]},"RestartPolicy":{"Name":"no","MaximumRetryCount":0}}}"#);
    insta::assert_snapshot!(container.spec.fingerprint(), @"v1:sha256:56bbacdb43af462a098c00e5fe46fb60f7b28e1471756fdf37c94b9a6dcfa72a");
}
