use super::*;
use crate::secret::Secret;
use std::collections::BTreeMap;

const PASSWORD: &str = "api.db_password";

fn text_of(secret: &Secret) -> String {
    secret.reveal_text().expect("text").to_owned()
}

fn with(secret: &[u8]) -> (String, String) {
    let secrets = BTreeMap::from([(key(PASSWORD), Secret::new(secret.to_vec()))]);
    let (text, word) = in_clear(&apps(), &secrets).expect("TOML");
    (text_of(&text), word)
}

#[test]
fn a_secret_stands_in_clear_where_the_sealed_value_was() {
    let (text, word) = with(b"hunter2");
    assert_eq!(
        changes(APPS, &text),
        [
            "-db_password = { sealed = \"YWdl\", id = \"9f2c41d70b6e83aa\" }",
            "+db_password = { secret = \"hunter2\" }"
        ]
    );
    assert_eq!(word, "secret");
    assert!(with(b"two\nlines\n").0.contains("db_password = { secret = \"\"\"\ntwo\nlines\n\"\"\" }"));
    assert!(with(&[0xff, 0]).0.contains("db_password = { secret = \"/wA=\", encoding = \"base64\" }"));
    assert_eq!(text_of(&in_clear(&apps(), &BTreeMap::new()).expect("TOML").0), APPS);
}

#[test]
fn a_file_with_a_table_of_that_form_gets_another_word() {
    let document = Document::parse("a.toml", "[oauth]\nsecret = \"public\"\n").expect("TOML");
    assert_eq!(in_clear(&document, &BTreeMap::new()).expect("TOML").1, "secret_");
    let document = Document::parse("a.toml", "[oauth]\nsecret = \"public\"\nuser = 1\n").expect("TOML");
    assert_eq!(in_clear(&document, &BTreeMap::new()).expect("TOML").1, "secret");
}

#[test]
fn secrets_that_are_not_written_as_such_are_named_but_not_quoted() {
    for text in [
        "a = [{ secret = \"CANARY\" }]\n",
        "[[a]]\nb = { secret = \"CANARY\" }\n",
        "[a]\nsecret = \"CANARY\"\n",
        "a.secret = \"CANARY\"\n",
        "a = { secret = \"CANARY!\", encoding = \"base64\" }\n",
        "a = { secret = \"CANARY\", encoding = \"hex\" }\n",
        "a = { secret = 1 }\n",
        "a = { secret = CANARY }\n",
        "a = { secret = \"CANARY }\n",
        "a = { secret = \"\"\"CANARY }\nb = 1\n",
        "CANARY\n",
        "a = \"CANARY\" CANARY\n",
        "a = 'CAN\nARY'\n",
        "a = \"\\CANARY\"\n",
    ] {
        let problems = read_clear("a.toml", text, "secret").expect_err(text);
        assert!(!format!("{problems:?}").contains("CANARY"), "{problems:?}");
    }
}

#[test]
fn sealed_again_everything_else_is_as_it_was() {
    let (text, word) = with(b"a\"b\\c\r\n'''\"\"\"");
    let found = read_clear("apps.toml", &text, &word).expect("sound");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].secret.reveal(), b"a\"b\\c\r\n'''\"\"\"");
    let mut original = sealed("apps.toml", PASSWORD, "9f2c41d70b6e83aa");
    original.sealed = "YWdl".to_owned();
    let back = seal_clear("apps.toml", &text, &[(found[0].range.clone(), original)]).expect("sound");
    assert_eq!(back.text(), APPS);
}

proptest! {
    #[test]
    fn every_text_comes_back(secret in ".*") {
        let (text, word) = with(secret.as_bytes());
        let found = read_clear("apps.toml", &text, &word).expect("sound");
        prop_assert_eq!(found[0].secret.reveal_text(), Some(secret.as_str()));
    }

    #[test]
    fn all_bytes_come_back(secret in prop::collection::vec(any::<u8>(), 0..200)) {
        let (text, word) = with(&secret);
        let found = read_clear("apps.toml", &text, &word).expect("sound");
        prop_assert_eq!(found[0].secret.reveal(), secret.as_slice());
    }

    #[test]
    fn control_characters_and_quotes_come_back(secret in "[\u{0}-\u{1f}\"'\\\\ x\u{7f}]{0,12}") {
        let (text, word) = with(secret.as_bytes());
        let found = read_clear("apps.toml", &text, &word).expect("sound");
        prop_assert_eq!(found[0].secret.reveal_text(), Some(secret.as_str()));
    }
}
