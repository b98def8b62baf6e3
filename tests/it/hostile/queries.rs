//! What is typed into a search, and the HTML that is searched.

pub(super) fn read(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (question, html) = text.split_once('\n').unwrap_or((text, text));
    let plain = archive::plain(html);
    let Ok(filter) = archive::parse(question) else { return };
    for piece in archive::snippet(&plain, &filter.terms) {
        let shown = piece.text.trim_matches('…').trim();
        assert!(plain.contains(shown), "{shown:?} is not in {plain:?}");
    }
}
