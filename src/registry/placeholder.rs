//! Texts that stand where a secret should be: templates that were not rendered, and what another tool encrypted.

use crate::secret::Secret;

/// What begins with these is encrypted: ciphertext, its key is elsewhere.
const ENCRYPTED: [(&str, &str); 5] = [
    ("-----BEGIN PGP MESSAGE-----", "it is encrypted with PGP"),
    ("-----BEGIN AGE ENCRYPTED FILE-----", "it is encrypted with age"),
    ("age-encryption.org/", "it is encrypted with age"),
    ("$ANSIBLE_VAULT;", "it is encrypted with Ansible Vault"),
    ("vault:v", "it is encrypted with a key of Vault"),
];

/// Why a text is no secret that a registry would know; `None` where it may be one.
pub fn placeholder(secret: &Secret) -> Option<&'static str> {
    let text = secret.reveal_text()?.trim();
    let holds = |open: &str, close: &str| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    if let Some((_, why)) = ENCRYPTED.iter().find(|(start, _)| text.starts_with(start)) {
        return Some(why);
    }
    if text.starts_with("ENC[") && text.ends_with(']') {
        return Some("it is encrypted with SOPS or eyaml");
    }
    if text.starts_with("NACL[") && text.ends_with(']') {
        return Some("it is encrypted with Salt's nacl");
    }
    if holds("{{", "}}") || holds("{%", "%}") {
        return Some("it is a template that was not rendered");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_secret_is_told_from_one() {
        for text in [
            "{{ pillar['pw'] }}",
            "a{{x}}b",
            "{% if x %}a{% endif %}",
            "ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]",
            "NACL[MRN3cc+fmdu=]",
            "ENC[PKCS7,MIIB]\n",
            "-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----",
            "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl",
            "age-encryption.org/v1\n-> X25519",
            "$ANSIBLE_VAULT;1.1;AES256\n3132",
            "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w==",
        ] {
            assert!(placeholder(&Secret::from(text.to_owned())).is_some(), "{text}");
        }
        for text in [
            "hunter2",
            "{{",
            "a}}b{{c",
            "{%x",
            "ENC[",
            "{\n\"private_key\": \"-----BEGIN PRIVATE KEY-----\"}",
            "vault",
        ] {
            assert!(placeholder(&Secret::from(text.to_owned())).is_none(), "{text}");
        }
    }
}
