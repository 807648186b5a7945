//! Who is on the other end of the connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_web::dev::RequestHead;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The network that a provider gives to one customer (RFC 6177): whoever has one IPv6 address has all of it.
const V6_PREFIX: u8 = 64;
/// IPv4 addresses as a translator writes them (RFC 6052): `64:ff9b::/96`.
const TRANSLATED: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// The address of the caller: the peer's, or, when the peer is a trusted proxy, the last address
/// in `X-Forwarded-For` that is not itself a trusted proxy's.
#[must_use]
pub fn client_ip(head: &RequestHead, trusted: &[IpNet]) -> IpAddr {
    let peer = head.peer_addr.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |addr| canonical(addr.ip()));
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if trusted.is_empty() || !is_trusted(&peer) {
        return peer;
    }
    let forwarded = head.headers.get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let mut hops: Vec<IpAddr> = Vec::new();
    for hop in forwarded.flat_map(|value| value.split(',')) {
        match hop.trim().parse() {
            Ok(ip) => hops.push(canonical(ip)),
            // What stands left of an unreadable hop cannot be trusted.
            Err(_) => hops.clear(),
        }
    }
    hops.into_iter().rev().find(|ip| !is_trusted(ip)).unwrap_or(peer)
}

/// An IPv4 address that arrived over an IPv6 socket is the IPv4 address.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// What a limit per address counts by: an IPv4 address, the /64 of an IPv6 one.
#[must_use]
pub fn network(ip: IpAddr) -> IpNet {
    network_of(ip, 32)
}

/// The wider network that guessers of passwords share: the /24 of an IPv4 address, the /64 of an IPv6 one.
#[must_use]
pub fn wide_network(ip: IpAddr) -> IpNet {
    network_of(ip, 24)
}

fn network_of(ip: IpAddr, v4_prefix: u8) -> IpNet {
    let net = match plain(ip) {
        IpAddr::V4(ip) => Ipv4Net::new(ip, v4_prefix).map(IpNet::V4),
        IpAddr::V6(ip) => Ipv6Net::new(ip, V6_PREFIX).map(IpNet::V6),
    };
    net.map_or_else(|_| ip.into(), |net| net.trunc())
}

/// An IPv4 address within an IPv6 one is that address.
fn plain(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => translated(v6).map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn translated(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let [w, x] = high.to_be_bytes();
    let [y, z] = low.to_be_bytes();
    ([a, b, c, d, e, f] == TRANSLATED).then(|| Ipv4Addr::new(w, x, y, z))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_by_the_network_of_a_customer() {
        let cases = [
            ("192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64"),
            ("::ffff:192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
            ("64:ff9b::c000:207", "192.0.2.7/32", "192.0.2.0/24"),
            ("64:ff9b:0:1::c000:207", "64:ff9b:0:1::/64", "64:ff9b:0:1::/64"),
        ];
        for (ip, narrow, wide) in cases {
            let ip: IpAddr = ip.parse().unwrap();
            assert_eq!((network(ip).to_string(), wide_network(ip).to_string()), (narrow.into(), wide.into()));
        }
    }
}
