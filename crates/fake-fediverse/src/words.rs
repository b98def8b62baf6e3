//! Names and sentences that read like people.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const FIRST: &[&str] = &[
    "Ada", "Bela", "Chidi", "Dunja", "Emre", "Freya", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lucía", "Mira",
    "Noor", "Oskar", "Priya", "Quim", "Runa", "Sven", "Tamar", "Uma", "Viktor", "Wanda", "Ximena", "Yuki", "Zofia",
];
const LAST: &[&str] = &[
    "Abebe", "Brandt", "Costa", "Dumont", "Eriksen", "Fischer", "García", "Horvat", "Ito", "Jansen", "Kowalska",
    "Lind", "Moreau", "Novák", "Okafor", "Petrov", "Rossi", "Schmid", "Tanaka", "Vogel",
];
const AFTER: &[&str] = &["", "", "", "writes", "codes", "bakes", "outdoors", "reads", "42", "_"];
const BIOS: &[&str] = &[
    "Gardener, reader, occasional cyclist. She/her.",
    "I fix bicycles and sometimes servers. Opinions are my cat's.",
    "Historian of small things. Posts about maps, mills and rivers.",
    "Free software, sourdough, slow trains.",
    "Teacher. Here for the birds.",
    "Photographs of fog. No bots, please.",
];
const OPENERS: &[&str] = &[
    "I just learned that",
    "Does anybody know why",
    "Today on the way to work I noticed that",
    "Unpopular opinion:",
    "A small thing that made me happy:",
    "Thread about",
    "After ten years I finally understand that",
    "Looking for advice:",
];
const MIDDLES: &[&str] = &[
    "the old mill down the road still grinds flour on Sundays",
    "swifts sleep while they fly",
    "my sourdough starter is older than my router",
    "the night train to the coast is back",
    "nobody documents the second step of an installation",
    "library cards are the best invention of all",
    "a well-placed index beats a bigger server",
    "tomatoes like company, and basil most of all",
];
const ANSWERS: &[&str] = &[
    "That is lovely, thank you for sharing.",
    "I had no idea! Where did you read this?",
    "Same here, and I am not even sorry.",
    "Counterpoint: it depends on the weather.",
    "My grandmother always said so.",
    "Could you say more about the second part?",
    "This. So much this.",
    "I tried it last year and it went well until the goat came.",
    "Adding to the pile: see also the atlas.",
    "Not quite, I think: there is an exception in the mountains.",
    "Bookmarked for a rainy day.",
    "😄",
    "Source?",
];
const TAGS: &[&str] = &["gardening", "trains", "birds", "selfhosting", "baking", "maps"];

/// A user name, and what is shown instead of it.
pub(crate) fn name(rng: &mut StdRng, number: usize) -> (String, String) {
    let (first, last) = (pick(rng, FIRST), pick(rng, LAST));
    let plain: String = first
        .to_lowercase()
        .chars()
        .map(|c| match c {
            'í' => 'i',
            c => c,
        })
        .collect();
    (
        format!("{plain}{}{number}", pick(rng, AFTER)),
        format!("{first} {last}"),
    )
}

pub(crate) fn bio(rng: &mut StdRng) -> String {
    format!("<p>{}</p>", pick(rng, BIOS))
}

/// A post that starts a thread.
pub(crate) fn opening(rng: &mut StdRng) -> String {
    let tag = match rng.random_bool(0.3) {
        true => format!(" #{}", pick(rng, TAGS)),
        false => String::new(),
    };
    format!("<p>{} {}.{tag}</p>", pick(rng, OPENERS), pick(rng, MIDDLES))
}

/// A post that answers one.
pub(crate) fn answer(rng: &mut StdRng) -> String {
    format!("<p>{}</p>", pick(rng, ANSWERS))
}

fn pick<'a>(rng: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.choose(rng).copied().unwrap_or_default()
}
