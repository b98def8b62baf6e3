//! Domains, hosts, uris, addresses.

use model::{Domain, Host, Uri};

pub(super) fn read(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(domain) = Domain::parse(text) {
        assert_eq!(Domain::parse(domain.as_str()).as_ref(), Ok(&domain), "{text:?}");
    }
    if let Ok(uri) = Uri::parse(text) {
        assert_eq!(Host::of(&uri.url()).ok(), Some(uri.host()), "{text:?}");
        assert_eq!(Uri::parse(uri.as_str()).as_ref().map(Uri::as_str), Ok(uri.as_str()));
    }
    if let Ok(read) = blocklists::name::read(text)
        && let blocklists::name::Name::Plain(name) = &read.name
    {
        let again = blocklists::name::read(name).expect("a name is a name");
        assert_eq!(again.name, read.name, "{text:?}");
        assert!(again.note.is_none() && name.len() <= 253, "{text:?}");
    }
    if let Ok(address) = registrations::Address::parse(text) {
        assert_eq!(address.hash().len(), 64);
    }
    let _ = metering::address::Address::parse(text);
}
