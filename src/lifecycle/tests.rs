//! What must hold for any document: bytes of others never change, and what is added can be taken away.

use proptest::prelude::*;

use super::document::digest;
use super::rule::ABORT_UPLOADS;
use super::{Configuration, Delta, Document, Form, LifecycleError, OwnRule, Tolerance, cli_json, delta};

const ABORT_7: OwnRule = OwnRule::AbortUploads { days: 7 };

fn doc(xml: &str) -> Document {
    Document::parse(xml.as_bytes()).unwrap()
}

fn has(xml: &str) -> Configuration {
    Configuration { document: Some(doc(xml)), small_objects: None }
}

const PRETTY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Rule>
    <ID>expire tmp &amp; logs</ID>
    <Filter><And><Prefix>tmp/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>
    <Status>Enabled</Status>
    <Expiration><Days>30</Days></Expiration>
    <Transition><Days>3</Days><StorageClass>STANDARD_IA</StorageClass></Transition>
    <FutureThing mode="x"><![CDATA[<not> & parsed]]></FutureThing>
  </Rule>
</LifecycleConfiguration>
"#;

#[test]
fn our_rule_stands_after_the_others_and_nothing_else_changes() {
    let before = doc(PRETTY);
    let after = before.with(&ABORT_7).unwrap();
    let ours = ABORT_7.xml("", Form::Filter);
    assert_eq!(after.xml(), PRETTY.replace("</LifecycleConfiguration>", &format!("{ours}</LifecycleConfiguration>")));
    assert_eq!(after.rules()[0].id.as_deref(), Some("expire tmp & logs"));
    assert_eq!(after.without(ABORT_UPLOADS).unwrap().unwrap().xml(), PRETTY);
}

#[test]
fn changing_our_rule_leaves_it_where_it_stands() {
    let seven = doc(PRETTY).with(&ABORT_7).unwrap();
    let three = seven.with(&OwnRule::AbortUploads { days: 3 }).unwrap();
    assert_eq!(three.xml(), seven.xml().replace("<DaysAfterInitiation>7<", "<DaysAfterInitiation>3<"));
}

#[test]
fn a_bucket_without_rules_gets_a_document_and_gives_it_back_as_none() {
    let after = Configuration::default().with(&ABORT_7).unwrap();
    let document = after.document.clone().unwrap();
    assert_eq!(document.rules().len(), 1);
    assert_eq!(document.without(ABORT_UPLOADS).unwrap(), None);
    assert_eq!(Configuration::default().fingerprint(), has("<LifecycleConfiguration/>").fingerprint());
}

#[test]
fn a_document_that_holds_more_than_rules_is_not_edited() {
    let not_only = |name: &str| Err(LifecycleError::NotOnlyRules(name.to_owned()));
    let ours = ABORT_7.xml("", Form::Filter);
    for (other, name) in [("<Later/>", "Later"), ("<Rule xmlns=\"urn:x\"/>", "{urn:x}Rule")] {
        assert_eq!(
            has(&format!("<LifecycleConfiguration>{other}</LifecycleConfiguration>")).with(&ABORT_7),
            not_only(name)
        );
        let beside = has(&format!("<LifecycleConfiguration>{ours}{other}</LifecycleConfiguration>"));
        assert_eq!(beside.with(&ABORT_7), not_only(name));
        assert_eq!(beside.document.unwrap().without(ABORT_UPLOADS).map(|_| Configuration::default()), not_only(name));
    }
    let commented = has("<LifecycleConfiguration> <!-- nothing --> </LifecycleConfiguration>");
    assert_eq!(commented.with(&ABORT_7).unwrap().rules().len(), 1);
}

#[test]
fn a_rule_of_somebody_else_is_never_touched() {
    let document = doc(PRETTY);
    assert!(matches!(document.without("expire tmp & logs"), Err(LifecycleError::Foreign(_))));
    assert!(matches!(document.with_slice("other", "<Rule/>"), Err(LifecycleError::Foreign(_))));
}

#[test]
fn an_old_document_gets_our_rule_in_the_old_form() {
    let legacy = "<LifecycleConfiguration><Rule><ID>a</ID><Prefix>x</Prefix><Status>Enabled</Status>\
                  <Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>";
    let after = doc(legacy).with(&ABORT_7).unwrap();
    assert_eq!(after.form(), Form::Legacy);
    assert!(after.xml().contains("</ID><Prefix></Prefix><Status>"));
}

#[test]
fn an_old_document_that_would_overlap_is_refused() {
    let legacy = "<LifecycleConfiguration><Rule><ID>a</ID><Prefix>x</Prefix><Status>Enabled</Status>\
                  <AbortIncompleteMultipartUpload><DaysAfterInitiation>9</DaysAfterInitiation>\
                  </AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>";
    assert_eq!(doc(legacy).with(&ABORT_7), Err(LifecycleError::LegacyOverlap("a".to_owned())));
}

#[test]
fn a_mix_of_both_forms_is_refused() {
    let mixed = "<LifecycleConfiguration><Rule><Prefix/></Rule><Rule><Filter/></Rule></LifecycleConfiguration>";
    assert_eq!(doc(mixed).with(&ABORT_7), Err(LifecycleError::Mixed));
}

#[test]
fn the_rule_after_the_thousandth_is_refused() {
    let rules: Vec<String> = (0..1000).map(|n| format!("<Rule><ID>r{n}</ID><Filter/></Rule>")).collect();
    let full = doc(&format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", rules.concat()));
    assert_eq!(full.with(&ABORT_7), Err(LifecycleError::TooMany(1001)));
}

#[test]
fn two_rules_with_our_id_are_not_guessed_about() {
    let ours = ABORT_7.xml("", Form::Filter);
    let twice = doc(&format!("<LifecycleConfiguration>{ours}{ours}</LifecycleConfiguration>"));
    assert_eq!(twice.with(&ABORT_7), Err(LifecycleError::Ambiguous(ABORT_UPLOADS.to_owned())));
}

#[test]
fn what_cannot_be_edited_with_certainty_is_refused() {
    let bad = [
        "",
        "<Other/>",
        "<LifecycleConfiguration>",
        "<LifecycleConfiguration></Wrong>",
        "<LifecycleConfiguration/><LifecycleConfiguration/>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><LifecycleConfiguration/>",
        "<LifecycleConfiguration><Rule><ID>&x;</ID></Rule></LifecycleConfiguration>",
        "<LifecycleConfiguration>loose text</LifecycleConfiguration>",
        "<LifecycleConfiguration><q:Rule/></LifecycleConfiguration>",
        "\u{feff}<LifecycleConfiguration/>",
    ];
    for xml in bad {
        assert!(matches!(Document::parse(xml.as_bytes()), Err(LifecycleError::Unreadable(_))), "{xml}");
    }
    assert!(Document::parse(b"<LifecycleConfiguration>\xff</LifecycleConfiguration>").is_err());
    let deep = format!("<LifecycleConfiguration>{}", "<a>".repeat(100_000));
    assert!(Document::parse(deep.as_bytes()).is_err());
}

#[test]
fn the_rule_of_another_namespace_is_not_a_rule() {
    let xml = r#"<s:LifecycleConfiguration xmlns:s="urn:s3" xmlns:o="urn:other"><o:Rule><o:ID>leanlake-abort-incomplete-uploads</o:ID></o:Rule></s:LifecycleConfiguration>"#;
    let before = doc(xml);
    assert!(before.rules().is_empty());
    assert_eq!(before.with(&ABORT_7), Err(LifecycleError::NotOnlyRules("{urn:other}Rule".to_owned())));
    let after = doc("<s:LifecycleConfiguration xmlns:s=\"urn:s3\"/>").with(&ABORT_7).unwrap();
    assert!(after.xml().contains("<s:Rule><s:ID>leanlake-"));
    assert_eq!(after.rules().len(), 1);
}

#[test]
fn order_of_rules_and_white_space_do_not_change_the_fingerprint_and_values_do() {
    let one = "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status></Rule><Rule><ID>b</ID></Rule></LifecycleConfiguration>";
    let two = "<LifecycleConfiguration xmlns=\"x\">\n<Rule><ID>b</ID></Rule><!-- c --> <Rule><Status>Enabled</Status> <ID>&#97;</ID></Rule></LifecycleConfiguration>";
    assert_eq!(doc(one).fingerprint(), doc(two).fingerprint());
    assert_ne!(doc(one).fingerprint(), doc(&one.replace("Enabled", "Disabled")).fingerprint());
    assert_ne!(doc(one).fingerprint(), digest(b""));
}

#[test]
fn a_server_that_forgets_the_small_object_header_is_forgiven_only_at_a_custom_endpoint() {
    let with = |setting: Option<&str>| Configuration { small_objects: setting.map(str::to_owned), ..has(PRETTY) };
    let sent = with(Some("varies_by_storage_class"));
    assert!(!with(None).settles(&sent, Tolerance::Strict));
    assert!(with(None).settles(&sent, Tolerance::CustomEndpoint));
    assert!(!with(Some("all_storage_classes_128K")).settles(&sent, Tolerance::CustomEndpoint));
    assert!(with(Some("all_storage_classes_128K")).settles(&with(None), Tolerance::Strict));
}

#[test]
fn the_delta_names_rules_by_id_whatever_their_place() {
    let before = has(
        "<LifecycleConfiguration><Rule><ID>a</ID><X>1</X></Rule><Rule><ID>b</ID></Rule><Rule><ID>c</ID></Rule></LifecycleConfiguration>",
    );
    let after = has(
        "<LifecycleConfiguration><Rule><ID>d</ID></Rule><Rule><ID>c</ID></Rule><Rule><ID>a</ID><X>2</X></Rule></LifecycleConfiguration>",
    );
    let delta = Delta::between(&before, &after);
    assert_eq!((delta.added, delta.changed, delta.removed), (vec!["d".into()], vec!["a".into()], vec!["b".into()]));
    let lines = delta::lines(&before, &after);
    assert!(lines.contains(&"    - X: \"1\"".to_owned()) && lines.contains(&"    + X: \"2\"".to_owned()), "{lines:?}");
    assert!(lines.contains(&"  rule `c` (kept as it is)".to_owned()));
}

#[test]
fn a_person_gets_the_document_as_the_aws_cli_takes_it() {
    let configuration = Configuration { small_objects: Some("varies_by_storage_class".into()), ..has(PRETTY) };
    let input = cli_json::put_input("lake", "111122223333", &configuration).unwrap();
    let rule = &input["LifecycleConfiguration"]["Rules"][0];
    assert_eq!(rule["Expiration"]["Days"], 30);
    assert_eq!(rule["Transitions"][0]["StorageClass"], "STANDARD_IA");
    assert_eq!(rule["Filter"]["And"]["Tags"][0]["Key"], "k");
    assert_eq!(input["TransitionDefaultMinimumObjectSize"], "varies_by_storage_class");
    assert_eq!(cli_json::put_input("lake", "1", &Configuration::default()), None);
}

#[test]
fn a_recorded_configuration_whose_digest_was_changed_is_refused() {
    let text = serde_json::to_string(&has(PRETTY)).unwrap();
    assert_eq!(serde_json::from_str::<Configuration>(&text).unwrap(), has(PRETTY));
    assert!(serde_json::from_str::<Configuration>(&text.replace("tmp/", "")).is_err());
}

/// Text between markup: plain, entities, CDATA, comments.
fn content() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9/ é\n]{0,8}",
        Just("&amp;&lt;&#x41;".to_owned()),
        "[a-z<>&]{0,5}".prop_map(|inner| format!("<![CDATA[{inner}]]>")),
        "[a-z <>&]{0,5}".prop_map(|inner| format!("<!--{inner}-->")),
        Just("<?pi some?>".to_owned()),
    ];
    proptest::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

/// An element that leanlake does not know, in any namespace.
fn element(prefix: &'static str) -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[A-Z][a-z]{1,5}".prop_map(move |n| format!("{prefix}{n}")),
        "[A-Z][a-z]{1,5}".prop_map(|n| format!("o:{n}"))
    ];
    let leaf = (name, content(), prop_oneof![Just(""), Just(" a='1'"), Just(" xml:lang=\"x&amp;y\"")])
        .prop_map(|(name, inner, attributes)| format!("<{name}{attributes}>{inner}</{name}>"));
    leaf.prop_recursive(3, 12, 3, |inner| {
        proptest::collection::vec(inner, 0..3).prop_map(|children| format!("<Nest >{}</Nest\n>", children.concat()))
    })
    .prop_map(move |xml| xml.replace("<Nest", &format!("<{prefix}Nest")).replace("</Nest", &format!("</{prefix}Nest")))
}

fn rule(prefix: &'static str) -> impl Strategy<Value = String> {
    let parts = proptest::collection::vec(element(prefix), 0..4);
    ("[a-kA-Z0-9 .]{0,12}", parts, any::<bool>()).prop_map(move |(id, parts, filter)| {
        let p = prefix;
        let filter = if filter { format!("<{p}Filter><{p}Prefix>t/</{p}Prefix></{p}Filter>") } else { String::new() };
        format!("<{p}Rule ><{p}ID>{id}</{p}ID>{filter}{}</{p}Rule>", parts.concat())
    })
}

fn document() -> impl Strategy<Value = (String, Vec<String>)> {
    let space = prop_oneof![Just(""), Just("\n  "), Just("<!-- <Rule> -->"), Just("<?p?>")];
    prop_oneof![Just(""), Just("s3:")].prop_flat_map(move |prefix| {
        let rules = proptest::collection::vec((space.clone(), rule(prefix)), 1..5);
        (rules, any::<bool>(), space.clone()).prop_map(move |(rules, declared, tail)| {
            let head = if declared { "<?xml version=\"1.0\"?>\n" } else { "" };
            let space = if prefix.is_empty() { "xmlns" } else { "xmlns:s3" };
            let body: String = rules.iter().flat_map(|(space, rule)| [*space, rule.as_str()]).collect();
            let xml = format!("{head}<{prefix}LifecycleConfiguration {space}='urn:s3' xmlns:o=\"urn:o\">{body}{tail}</{prefix}LifecycleConfiguration >\n");
            (xml, rules.into_iter().map(|(_, rule)| rule).collect())
        })
    })
}

proptest! {
    #[test]
    fn rules_of_others_stay_byte_for_byte_and_taking_ours_away_gives_the_same_bytes((xml, rules) in document(), days in 1u32..400) {
        let before = doc(&xml);
        prop_assert_eq!(before.foreign_slices(), rules.iter().map(String::as_str).collect::<Vec<_>>());
        let after = before.with(&OwnRule::AbortUploads { days }).unwrap();
        prop_assert_eq!(after.foreign_slices(), before.foreign_slices());
        prop_assert_eq!(after.rules().len(), rules.len() + 1);
        prop_assert_ne!(after.fingerprint(), before.fingerprint());
        let back = after.without(ABORT_UPLOADS).unwrap().unwrap();
        prop_assert_eq!(back.xml(), xml.as_str());
    }

    #[test]
    fn any_order_of_rules_has_the_same_fingerprint((_, rules) in document()) {
        let of = |rules: Vec<&str>| doc(&format!("<s3:LifecycleConfiguration xmlns:s3='u' xmlns='u' xmlns:o='o'>{}</s3:LifecycleConfiguration>", rules.concat()));
        let forward: Vec<&str> = rules.iter().map(String::as_str).collect();
        let backward: Vec<&str> = rules.iter().rev().map(String::as_str).collect();
        prop_assert_eq!(of(forward).fingerprint(), of(backward).fingerprint());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), (xml, _) in document(), cut in 0usize..500) {
        let _ = Document::parse(&bytes);
        let _ = Document::parse(&xml.as_bytes()[..cut.min(xml.len())]);
    }
}
