//! Sockets that listen.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use rustix::net::sockopt::set_ipv6_v6only;
use tokio::net::TcpSocket;

/// Connections that wait to be accepted: many come back at once after another node has stopped.
const BACKLOG: u32 = 4096;

/// Listens at all of `addrs`; of several, those that this machine does not have are passed over. `[::]` takes
/// IPv4 as well, from peers such as `::ffff:192.0.2.1`, and is `0.0.0.0` on a machine without IPv6. Where the
/// system is to choose a port, it chooses one for all. Within a runtime.
///
/// # Errors
/// When one is taken, or none is there.
pub fn listen_at(addrs: &[SocketAddr]) -> Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::with_capacity(addrs.len());
    let mut missing = None;
    for addr in addrs {
        let mut addr = *addr;
        if let (0, Some(first)) = (addr.port(), listeners.first()) {
            addr.set_port(first.local_addr()?.port());
        }
        match open(addr) {
            Ok(listener) => listeners.push(listener),
            Err(error) if is_missing(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

fn open(addr: SocketAddr) -> Result<TcpListener> {
    match open_as_it_is(addr) {
        Err(error) if is_missing(&error) && addr.is_ipv6() && addr.ip().is_unspecified() => {
            open_as_it_is((Ipv4Addr::UNSPECIFIED, addr.port()).into())
        }
        opened => opened,
    }
}

fn open_as_it_is(addr: SocketAddr) -> Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the connections of the process before.
    socket.set_reuseaddr(true)?;
    if addr.is_ipv6() {
        // Whatever the system's own choice is.
        set_ipv6_v6only(&socket, !addr.ip().is_unspecified())?;
    }
    socket.bind(addr)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The machine lacks the address or the whole family.
fn is_missing(error: &Error) -> bool {
    let unsupported = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    error.kind() == ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(unsupported)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::{Ipv6Addr, TcpStream};

    use super::*;

    #[tokio::test]
    async fn several_addresses_share_the_port_that_the_system_chose() {
        let loopbacks = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), (Ipv6Addr::LOCALHOST, 0).into()];
        let listeners = listen_at(&loopbacks).unwrap();
        let port = listeners[0].local_addr().unwrap().port();
        assert!(port != 0 && listeners.iter().all(|one| one.local_addr().unwrap().port() == port));
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        let taken = listen_at(&[(Ipv4Addr::LOCALHOST, port).into()]).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_passed_over_unless_it_is_the_only_one() {
        // TEST-NET-1 (RFC 5737).
        let nobodys = SocketAddr::from(([192, 0, 2, 1], 0));
        assert_eq!(listen_at(&[nobodys]).unwrap_err().kind(), ErrorKind::AddrNotAvailable);
        assert_eq!(listen_at(&[nobodys, (Ipv4Addr::LOCALHOST, 0).into()]).unwrap().len(), 1);
    }
}
