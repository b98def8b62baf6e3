//! The page for people who write rules.

use rules::{Fact, Field, Is, Ruleset, Sets, Source};

const PAGE: &str = include_str!("../../../../docs/features/rules.md");

#[test]
fn the_examples_of_the_page_are_rules() {
    let blocks: Vec<Source> = PAGE
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .enumerate()
        .map(|(n, (text, _))| Source::new(format!("block {n}"), text))
        .collect();
    assert_eq!(blocks.len(), 3);
    let set = Ruleset::compile(&blocks, &Sets::default()).unwrap_or_else(|problems| panic!("{}", problems[0]));
    assert_eq!(set.rules().count(), 3);
}

#[test]
fn the_page_names_everything_there_is() {
    let names = Field::ALL
        .iter()
        .map(|field| field.name())
        .chain(Fact::ALL.iter().map(|fact| fact.name()))
        .chain(Is::ALL.iter().map(|is| is.name()))
        .chain(rules::CounterKind::ALL.iter().map(|kind| kind.name()))
        .chain(rules::Action::ALL.iter().map(|action| action.name()));
    for name in names {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
