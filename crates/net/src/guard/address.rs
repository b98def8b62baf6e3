//! The addresses of the public internet, and all the others.

use std::{net::IpAddr, sync::LazyLock};

use ipnet::{Ipv4Net, Ipv6Net};

/// What the registries of special addresses list, as Mastodon 4.6.4 and later refuse it.
const SPECIAL_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];

/// Of IPv6 only 2000::/3 is public, without these. NAT64 (64:ff9b::/96), unique local, link-local, multicast,
/// IPv4-compatible and the discard prefix lie outside of it.
const SPECIAL_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

static V4: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| SPECIAL_V4.iter().filter_map(|net| net.parse().ok()).collect());
static V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| SPECIAL_V6.iter().filter_map(|net| net.parse().ok()).collect());

/// Whether an address belongs to the public internet. An IPv4-mapped IPv6 address is judged as its IPv4.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) => {
            let global = ip.segments()[0] & 0xe000 == 0x2000;
            global && !V6.iter().any(|net| net.contains(&ip))
        }
    }
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    #[test]
    fn the_tables_are_read_whole() {
        assert_eq!(V4.len(), SPECIAL_V4.len());
        assert_eq!(V6.len(), SPECIAL_V6.len());
    }

    #[test]
    fn every_special_range_is_refused_at_both_ends() {
        let others = [
            "::/128",
            "::1/128",
            "::/96",
            "::ffff:10.0.0.0/104",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/32",
            "2001:10::/28",
            "2001:20::/28",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
            "5f00::/16",
        ];
        for text in SPECIAL_V4.iter().chain(&SPECIAL_V6).chain(&others) {
            let net: IpNet = text.parse().unwrap();
            assert!(!is_public(net.network()), "{text} begin");
            assert!(!is_public(net.broadcast()), "{text} end");
            if let IpAddr::V4(ip) = net.network() {
                assert!(!is_public(IpAddr::V6(ip.to_ipv6_mapped())), "{text} mapped");
                assert!(!is_public(IpAddr::V6(ip.to_ipv6_compatible())), "{text} compatible");
            }
        }
    }

    #[test]
    fn the_neighbours_of_the_ranges_are_public() {
        for ip in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2001:200::1",
            "2606:4700::1111",
            "2a01:4f8::1",
            "2003::1",
            "3ffe:ffff::1",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}
