//! Identifiers as each kind of server makes them. All of them are derived from a number that sorts by time, so that
//! one order serves every server.

use crate::world::Kind;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Mastodon's: milliseconds and 16 bits that tell two of the same moment apart.
pub(crate) fn snowflake(unix_ms: i64, low: u16) -> u64 {
    (u64::try_from(unix_ms).unwrap_or(0) << 16) | u64::from(low)
}

/// The milliseconds in a snowflake.
pub(crate) fn millis(order: u64) -> u64 {
    order >> 16
}

/// The id a server of this kind gives to what it sorts at `order`.
pub(crate) fn spelled(kind: Kind, order: u64, salt: u64) -> String {
    match kind {
        Kind::Mastodon => order.to_string(),
        Kind::Akkoma => flake(order, salt),
        Kind::Mitra | Kind::Other => uuid(order, salt),
        Kind::GoToSocial => ulid(order, salt),
    }
}

/// 18 characters in base 62, sortable as text.
fn flake(order: u64, salt: u64) -> String {
    let number = (u128::from(order) << 40) | u128::from(mix(order, salt) & 0xff_ffff_ffff);
    digits(number, BASE62, 18)
}

/// 26 characters: 48 bits of milliseconds, 80 of chance.
fn ulid(order: u64, salt: u64) -> String {
    let number = (u128::from(millis(order)) << 80) | (u128::from(mix(order, salt)) << 16) | u128::from(order & 0xffff);
    digits(number, CROCKFORD, 26)
}

/// A UUID that looks random.
pub(crate) fn uuid(order: u64, salt: u64) -> String {
    let (a, b) = (mix(order, salt), mix(salt ^ 0x5bd1_e995, order));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48 & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// Short letters and digits, as Misskey's.
pub(crate) fn short(order: u64) -> String {
    digits(u128::from(order), b"0123456789abcdefghijklmnopqrstuvwxyz", 13)
}

fn digits(mut number: u128, alphabet: &[u8], width: usize) -> String {
    let base = alphabet.len() as u128;
    let mut out = vec![b'0'; width];
    for place in out.iter_mut().rev() {
        *place = alphabet[usize::try_from(number % base).unwrap_or(0)];
        number /= base;
    }
    out.into_iter().map(char::from).collect()
}

/// A number that looks random and is the same for the same input.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut x = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for multiplier in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        x = (x ^ (x >> 29)).wrapping_mul(multiplier);
    }
    x ^ (x >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sortable_ids_sort_by_time() {
        for kind in [Kind::Akkoma, Kind::GoToSocial] {
            let ids: Vec<_> = (1..50)
                .map(|n| spelled(kind, snowflake(1_790_000_000_000 + n, 9), 3))
                .collect();
            assert!(ids.is_sorted(), "{ids:?}");
        }
        assert_eq!(spelled(Kind::Akkoma, snowflake(1_790_000_000_000, 9), 3).len(), 18);
        assert_eq!(spelled(Kind::GoToSocial, snowflake(1_790_000_000_000, 9), 3).len(), 26);
        assert_eq!(spelled(Kind::Mitra, 7, 3).len(), 36);
    }
}
