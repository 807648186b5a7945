//! Who is on the other end of the connection.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::dev::RequestHead;
use ipnet::IpNet;

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
