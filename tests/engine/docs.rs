//! The documentation, run against a real Engine and a real registry.

use crate::pages;
use crate::testbed::EngineEnv;

#[test]
fn every_command_of_the_documentation_works_on_an_engine() {
    for page in pages::pages() {
        let Some(mut this) = EngineEnv::new() else { return };
        for version in ["1.0.0", "1.1.0"] {
            this.name = "web".to_owned();
            let _ = this.push("serve", "nginx", version);
        }
        // The pages make a workspace `shop`; what carries its name goes at the end.
        this.name = "shop".to_owned();
        let engine = this.engine.address();
        let registry = this.registry.clone();
        let file = registry.replace(':', "_");
        let port = this.port().to_string();
        let replaced = [
            ("registries/registry.example.com", format!("registries/{file}")),
            ("registry.example.com", registry),
            ("unix:///var/run/docker.sock", engine),
            ("the-password", this.password.clone()),
            ("-u deploy", format!("-u {}", this.user)),
            ("localhost:8080", format!("{}:{port}", this.address)),
            ("8080", port),
        ];
        let replaced: Vec<(&str, &str)> = replaced.iter().map(|(text, by)| (*text, by.as_str())).collect();
        let _ = pages::perform(&page, &mut this.env, &replaced, true);
    }
}
