//! A project of many services: as a file of Compose, and in TOML, which says the same.

/// So many services of one image, which the two languages may name differently.
pub(crate) struct Project<'a> {
    pub(crate) name: &'a str,
    pub(crate) services: usize,
    /// As the file of Compose says it.
    pub(crate) image: &'a str,
    /// As TOML says it.
    pub(crate) image_in_toml: &'a str,
    /// The port of the host that the first service is published on; the others follow.
    pub(crate) published: Option<usize>,
}

impl Project<'_> {
    /// The file of Compose.
    pub(crate) fn compose(&self) -> String {
        let one = |number: usize| {
            let ports = self.ports(number).map(|ports| format!("    {}\n", ports.replacen(" =", ":", 1)));
            format!(
                "  web{number}:\n    image: {}\n    environment:\n      NUMBER: \"{number}\"\n      LOG: ${{LOG:-info}}\n    \
                 mem_limit: 64m\n{}",
                self.image,
                ports.unwrap_or_default()
            )
        };
        format!("services:\n{}", (0..self.services).map(one).collect::<String>())
    }

    /// The same in TOML.
    pub(crate) fn toml(&self) -> String {
        let (name, image) = (self.name, self.image_in_toml);
        let one = |number: usize| {
            let ports = self.ports(number).map(|ports| format!("{ports}\n"));
            format!(
                "[web{number}.service.deployed]\nname = \"{name}-web{number}\"\ninstances = \"{name}-web{number}-{{}}\"\nalias = \"web{number}\"\n\
                 image = \"{image}\"\n{}env.NUMBER = \"{number}\"\nenv.LOG = \"{{{{ pillar.log | default('info') }}}}\"\n\
                 mem_limit = \"64m\"\nrestart = \"no\"\nnetworks.{name}_default.aliases = [\"web{number}\"]\n",
                ports.unwrap_or_default()
            )
        };
        let all: String = (0..self.services).map(one).collect();
        format!("[net.network.present]\nname = \"{name}_default\"\n{all}")
    }

    fn ports(&self, number: usize) -> Option<String> {
        self.published.map(|first| format!("ports = [\"{}:80\"]", first + number))
    }
}
