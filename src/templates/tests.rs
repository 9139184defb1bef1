#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use minijinja::context;
use proptest::prelude::*;

fn render(template: &'static str, context: Value) -> Result<String, String> {
    let mut templates = Templates::load(None).expect("embedded templates parse");
    templates.environment.add_template("test", template).expect("parses");
    templates.render("test", &context).map_err(|e| e.to_string())
}

#[test]
fn a_forgotten_filter_fails_and_does_not_show_the_value() {
    let error = render("listen {{ x }};", context! { x => "1; evil_directive" }).expect_err("refused");
    assert!(error.contains("without a filter"), "{error}");
    assert!(!error.contains("evil"), "{error}");
}

#[test]
fn nginx_quotes_and_refuses_dollar() {
    let quoted = render("{{ x | nginx }}", context! { x => r#"a b;"\{}"# });
    assert_eq!(quoted.as_deref(), Ok(r#""a b;\"\\{}""#));
    assert!(render("{{ x | nginx }}", context! { x => "$host" }).is_err());
    assert!(render("{{ x | nginx }}", context! { x => "a\nb" }).is_err());
}

#[test]
fn systemd_doubles_specifiers() {
    assert_eq!(
        render("{{ x | systemd }}", context! { x => "/a b/%h/$x" }).as_deref(),
        Ok("\"/a b/%%h/$$x\"")
    );
}

/// As `systemd-escape --path` of systemd 252 names them.
#[test]
fn mounts_are_named_as_by_systemd() {
    let named = |path: &str| render("{{ x | mounts }}", context! { x => path });
    assert_eq!(named("/srv").as_deref(), Ok("srv.mount"));
    assert_eq!(
        named("/srv//my-video/.é %/").as_deref(),
        Ok(r"srv.mount srv-my\x2dvideo.mount srv-my\x2dvideo-.\xc3\xa9\x20\x25.mount")
    );
    assert_eq!(named("/.video").as_deref(), Ok(r"\x2evideo.mount"));
    assert!(named("/").is_err() && named("srv").is_err() && named("/srv/..").is_err());
}

#[test]
fn an_undefined_value_names_file_and_line() {
    let error = render("one\n{{ missing }}\n", context! {}).expect_err("strict");
    assert!(error.contains("test:2:"), "{error}");
}

/// What a quoted word of nginx or systemd stands for; `None` if it is not one whole word.
fn unquoted(word: &str) -> Option<String> {
    let Some(inner) = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !r#"\;{}"'#"#.contains(c);
        return (!word.is_empty() && word.chars().all(plain)).then(|| word.to_owned());
    };
    let mut text = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return None,
            '\\' => text.push(rest.next().filter(|c| *c == '"' || *c == '\\')?),
            c if c.is_control() => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// Any text at all, with more of what the languages take for something else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\\\\\"'$%;{}# a\n\t\u{7f}\u{85}=]{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_one_word_for_nginx_or_refused(x in text()) {
        let rendered = render("{{ x | nginx_verbatim }}", context! { x => x.as_str() });
        match x.contains(char::is_control) {
            true => prop_assert!(rendered.is_err()),
            false => prop_assert_eq!(unquoted(&rendered.unwrap()), Some(x.clone())),
        }
        let rendered = render("{{ x | nginx }}", context! { x => x.as_str() });
        prop_assert_eq!(rendered.is_err(), x.contains(|c: char| c == '$' || c.is_control()));
    }

    #[test]
    fn any_text_is_one_word_for_systemd_or_refused(x in text()) {
        let rendered = render("{{ x | systemd }}", context! { x => x.as_str() });
        match x.contains(char::is_control) {
            true => prop_assert!(rendered.is_err()),
            false => prop_assert_eq!(unquoted(&rendered.unwrap()), Some(x.replace('%', "%%").replace('$', "$$"))),
        }
    }

    #[test]
    fn any_text_is_the_same_text_in_toml(x in text(), y in text()) {
        let rendered = render("# {{ x | comment }}\nx = {{ x | toml }}\nlist = {{ [x, y] | toml }}\n", context! { x => x.as_str(), y => y.as_str() });
        let read: ::toml::Table = rendered.unwrap().parse().unwrap();
        prop_assert_eq!(read.len(), 2);
        prop_assert_eq!(read["x"].as_str(), Some(x.as_str()));
        prop_assert_eq!(&read["list"], &::toml::Value::from(vec![x, y]));
    }

    #[test]
    fn any_text_without_a_filter_is_harmless_or_refused(x in text()) {
        if let Ok(rendered) = render("{{ x }}", context! { x }) {
            prop_assert!(rendered.chars().all(|c| c.is_ascii_alphanumeric() || "._:/-".contains(c)), "{}", rendered);
        }
    }
}
