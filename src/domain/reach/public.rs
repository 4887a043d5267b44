//! Which addresses belong to the world: those that the IANA registries of special-purpose addresses (RFC 6890) leave over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks (address, length of the prefix) of IPv4 that are not for everybody.
const SPECIAL_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),          // this network, RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),         // private, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),      // carriers' address translation, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),        // loopback, RFC 1122
    (Ipv4Addr::new(168, 63, 129, 16), 32),   // the host of a virtual machine, Azure's documentation
    (Ipv4Addr::new(169, 254, 0, 0), 16),     // link-local, RFC 3927; metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),      // private, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),       // protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),       // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24),     // relays of 6to4, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),     // private, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15),      // benchmarks, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24),    // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),     // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),        // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),        // reserved, RFC 1112
    (Ipv4Addr::new(255, 255, 255, 255), 32), // broadcast, RFC 919
];

/// What the world uses of IPv6 (RFC 4291, section 2.4). All that is special outside of it is so by not being in it:
/// loopback, compatible and local addresses, multicast, `64:ff9b:1::/48` (RFC 8215), `100::/64` (RFC 6666).
const WORLD_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks inside of [`WORLD_V6`] that are not for everybody.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // documentation, RFC 3849
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, RFC 3056: IPv4 addresses of any kind inside
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // documentation, RFC 9637
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Addresses of IPv4 for those who have IPv6 alone, RFC 6052; they are what is inside of them.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether an address is one of the world's, whatever it is written as.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let address = u32::from(address);
    let inside = |(network, length): &(Ipv4Addr, u32)| {
        (address ^ u32::from(*network)).leading_zeros() >= *length
    };
    !SPECIAL_V4.iter().any(inside)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let inside = |(network, length): (Ipv6Addr, u32)| {
        (u128::from(address) ^ u128::from(network)).leading_zeros() >= length
    };
    if inside(NAT64) {
        return is_public_v4(last_four(address));
    }
    let special = SPECIAL_V6.into_iter().any(inside);
    inside(WORLD_V6) && !special && (!is_tunnel(address) || is_public_v4(last_four(address)))
}

/// ISATAP, RFC 5214, section 6.1: an address of IPv4 behind `0:5efe` or `200:5efe`.
fn is_tunnel(address: Ipv6Addr) -> bool {
    let [_, _, _, _, kind, mark, _, _] = address.segments();
    matches!(kind, 0 | 0x200) && mark == 0x5efe
}

fn last_four(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_last_address_of_each_special_network_is_internal_and_their_neighbours_are_not()
    {
        for (first, last, before, after) in [
            ("0.0.0.0", "0.255.255.255", "", "1.0.0.0"),
            ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
            (
                "100.64.0.0",
                "100.127.255.255",
                "100.63.255.255",
                "100.128.0.0",
            ),
            (
                "127.0.0.0",
                "127.255.255.255",
                "126.255.255.255",
                "128.0.0.0",
            ),
            (
                "168.63.129.16",
                "168.63.129.16",
                "168.63.129.15",
                "168.63.129.17",
            ),
            (
                "169.254.0.0",
                "169.254.255.255",
                "169.253.255.255",
                "169.255.0.0",
            ),
            (
                "172.16.0.0",
                "172.31.255.255",
                "172.15.255.255",
                "172.32.0.0",
            ),
            ("192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"),
            ("192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"),
            (
                "192.88.99.0",
                "192.88.99.255",
                "192.88.98.255",
                "192.88.100.0",
            ),
            (
                "192.168.0.0",
                "192.168.255.255",
                "192.167.255.255",
                "192.169.0.0",
            ),
            (
                "198.18.0.0",
                "198.19.255.255",
                "198.17.255.255",
                "198.20.0.0",
            ),
            (
                "198.51.100.0",
                "198.51.100.255",
                "198.51.99.255",
                "198.51.101.0",
            ),
            (
                "203.0.113.0",
                "203.0.113.255",
                "203.0.112.255",
                "203.0.114.0",
            ),
            ("224.0.0.0", "255.255.255.255", "223.255.255.255", ""),
            ("::", "1fff:ffff::", "", "2000::"),
            ("2001::", "2001:1ff:ffff::", "2000:ffff::", "2001:200::"),
            (
                "2001:db8::",
                "2001:db8:ffff::",
                "2001:db7:ffff::",
                "2001:db9::",
            ),
            ("2002::", "2002:ffff:ffff::", "2001:ffff::", "2003::"),
            ("3fff::", "3fff:fff:ffff::", "3ffe:ffff::", "3fff:1000::"),
            ("4000::", "ffff:ffff::", "3fff:ffff::", ""),
        ] {
            for (text, public) in [(first, false), (last, false), (before, true), (after, true)] {
                if !text.is_empty() {
                    assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
                }
            }
        }
    }

    #[test]
    fn an_address_inside_of_another_is_what_it_is() {
        for (text, public) in [
            ("::ffff:10.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("::8.8.8.8", false),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b:1::8.8.8.8", false),
            ("2001:0:102:304::f5ff:fffe", false),
            ("2002:a00:1::", false),
            ("2600::5efe:a00:1", false),
            ("2600::200:5efe:808:808", true),
            ("fe80::1", false),
            ("fec0::1", false),
            ("fd00:ec2::254", false),
            ("ff02::1", false),
            ("100::1", false),
            ("2606:4700:4700::1111", true),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }
}
