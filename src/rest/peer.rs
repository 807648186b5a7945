//! Who is on the other end of the connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Once};

use actix_web::dev::RequestHead;
use actix_web::http::header::{FORWARDED, HOST, VIA};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const X_FORWARDED_FOR: &str = "x-forwarded-for";
const X_FORWARDED_HOST: &str = "x-forwarded-host";
const X_FORWARDED_PROTO: &str = "x-forwarded-proto";
const X_REAL_IP: &str = "x-real-ip";
/// Whoever sends one of these passes on what somebody else asks for.
const FORWARDING: [&str; 4] = [X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, X_REAL_IP];

/// The network that a provider gives to one customer (RFC 6177): whoever has one IPv6 address has all of it.
const V6_PREFIX: u8 = 64;
/// IPv4 addresses as a translator writes them (RFC 6052): `64:ff9b::/96`.
const TRANSLATED: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// The proxies whose forwarding headers are believed (`httpq.trusted_proxies`); clones share everything.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    is_unnamed_told: Arc<Once>,
}

impl TrustedProxies {
    /// The proxies in these networks.
    #[must_use]
    pub fn new(networks: &[IpNet]) -> Self {
        Self { networks: networks.into(), is_unnamed_told: Arc::new(Once::new()) }
    }

    /// The address of the caller: the peer's, or, when the peer is a trusted proxy, the last address
    /// in `X-Forwarded-For` that is not itself a trusted proxy's. This machine and its links are never
    /// the caller because a header says so.
    #[must_use]
    pub fn client_ip(&self, head: &RequestHead) -> IpAddr {
        let peer = peer_ip(head);
        if !self.holds(&peer) {
            self.tell_of_unnamed(peer, head);
            return peer;
        }
        let forwarded = head.headers.get_all(X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).collect();
        for hop in hops.into_iter().rev() {
            match address(hop) {
                Some(ip) if self.holds(&ip) => {}
                Some(ip) if !is_local(ip) => return ip,
                // What stands left of it cannot be trusted.
                _ => return peer,
            }
        }
        peer
    }

    /// The host that the caller knows this server by: `Host`, or what a trusted proxy says it was.
    #[must_use]
    pub fn host<'h>(&self, head: &'h RequestHead) -> &'h str {
        let text = |name: &str| head.headers.get(name)?.to_str().ok();
        let forwarded = text(X_FORWARDED_HOST).filter(|_| self.holds(&peer_ip(head)));
        let forwarded = forwarded.and_then(|hosts| hosts.split(',').next()).map(str::trim);
        let named = forwarded.filter(|host| !host.is_empty()).or_else(|| text(HOST.as_str()));
        named.or_else(|| head.uri.authority().map(|authority| authority.as_str())).unwrap_or_default()
    }

    /// Whether `ip` is one of them.
    pub(super) fn holds(&self, ip: &IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(ip))
    }

    fn tell_of_unnamed(&self, peer: IpAddr, head: &RequestHead) {
        if peer.is_loopback() && direct_ip(head).is_none() {
            self.is_unnamed_told.call_once(|| {
                tracing::warn!(
                    %peer,
                    "a proxy on this machine is not in httpq.trusted_proxies: all its callers count as one address"
                );
            });
        }
    }
}

/// The scheme that the caller used, by what a proxy says: it decides over their own answers only.
#[must_use]
pub fn is_https(head: &RequestHead) -> bool {
    let said = head.headers.get(X_FORWARDED_PROTO).and_then(|value| value.to_str().ok());
    let first = said.and_then(|schemes| schemes.split(',').next());
    first.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// The address of one who calls without a proxy between, as far as anybody can tell; lists of callers who need
/// no credentials are compared with it.
#[must_use]
pub fn direct_ip(head: &RequestHead) -> Option<IpAddr> {
    let headers = &head.headers;
    let is_forwarded = headers.contains_key(FORWARDED)
        || headers.contains_key(VIA)
        || FORWARDING.iter().any(|name| headers.contains_key(*name));
    (!is_forwarded).then(|| peer_ip(head))
}

fn peer_ip(head: &RequestHead) -> IpAddr {
    head.peer_addr.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |addr| canonical(addr.ip()))
}

/// An IPv4 address that arrived over an IPv6 socket is the IPv4 address.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// An address as proxies write it: alone, in brackets, in quotes, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    bare.parse().ok().or_else(with_port).map(canonical)
}

/// Whether an address means this machine, or one of its links: nobody who comes from elsewhere has it.
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local() || ip.octets().first() == Some(&0),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unicast_link_local(),
    }
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
    use actix_web::test::TestRequest;

    use super::*;

    fn head(peer: &str, headers: &[(&'static str, &str)]) -> actix_web::HttpRequest {
        let request = TestRequest::get().uri("/").peer_addr(SocketAddr::new(peer.parse().unwrap(), 4000));
        headers.iter().fold(request, |request, header| request.append_header(*header)).to_http_request()
    }

    fn seen(trusted: &[&str], peer: &str, forwarded: &str) -> String {
        let networks: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let request = head(peer, &[(X_FORWARDED_FOR, forwarded)]);
        TrustedProxies::new(&networks).client_ip(request.head()).to_string()
    }

    #[test]
    fn a_trusted_proxy_says_who_calls() {
        let seen = |forwarded| seen(&["10.0.0.0/8"], "10.0.0.2", forwarded);
        for (forwarded, wanted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, 192.0.2.7, 10.0.0.9", "192.0.2.7"),
            ("1.2.3.4:5678", "1.2.3.4"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\"192.0.2.7:80\"", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, unknown", "10.0.0.2"),
            ("", "10.0.0.2"),
        ] {
            assert_eq!(seen(forwarded), wanted, "{forwarded}");
        }
        assert_eq!(super::tests::seen(&["10.0.0.0/8"], "192.0.2.1", "192.0.2.7"), "192.0.2.1", "a stranger");
    }

    #[test]
    fn this_machine_and_its_links_come_from_no_header() {
        for local in [
            "127.0.0.1",
            "127.9.9.9",
            "[::1]:80",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "169.254.1.1",
            "fe80::1",
        ] {
            for forwarded in [local.to_owned(), format!("{local}, 10.0.0.50"), format!("192.0.2.7, {local}")]
            {
                assert_eq!(seen(&["10.0.0.0/8"], "10.0.0.2", &forwarded), "10.0.0.2", "{forwarded}");
            }
        }
        let chain = seen(&["127.0.0.0/8"], "127.0.0.1", "192.0.2.7, 127.0.0.1");
        assert_eq!(chain, "192.0.2.7", "a proxy of this machine that is named is passed over");
    }

    #[test]
    fn who_passes_on_does_not_call_directly() {
        assert_eq!(direct_ip(head("127.0.0.1", &[]).head()), Some(Ipv4Addr::LOCALHOST.into()));
        for name in
            ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]
        {
            assert_eq!(direct_ip(head("127.0.0.1", &[(name, "x")]).head()), None, "{name}");
        }
    }

    #[test]
    fn a_host_is_believed_of_trusted_proxies_only() {
        let proxies = TrustedProxies::new(&["10.0.0.0/8".parse().unwrap()]);
        let headers = [("host", "own.example"), ("x-forwarded-host", "outer.example, inner")];
        assert_eq!(proxies.host(head("192.0.2.1", &headers).head()), "own.example");
        assert_eq!(proxies.host(head("10.0.0.1", &headers).head()), "outer.example");
    }

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
