//! Ports for servers that must be able to come back to them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result};

/// Below the ports that Linux hands out to connections.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
/// Whoever listens here has the same port of 127.0.0.1; no server ever listens here itself.
const RESERVATIONS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A port of 127.0.0.1 that no other bed takes as long as this lives, also while nobody listens on it.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _reservation: TcpListener,
}

impl Port {
    /// Reserves one that is free now.
    ///
    /// # Errors
    /// When none is.
    pub fn reserve() -> Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Other processes look for ports as well, so each begins elsewhere.
        let begin = u64::from(std::process::id()) * 7919;
        for _ in 0..COUNT {
            let step = begin + u64::from(NEXT.fetch_add(1, Ordering::Relaxed));
            let number = FIRST + u16::try_from(step % u64::from(COUNT))?;
            let Ok(reservation) = TcpListener::bind((RESERVATIONS, number)) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _reservation: reservation });
            }
        }
        None.context("no port is free")
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// 127.0.0.1 and the number.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }
}

/// An address of the loopback interface with a port that is free now, for servers that are started once.
///
/// # Errors
/// When none is.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_reserved_port_is_nobody_elses() {
        let ports: Vec<Port> = (0..50).map(|_| Port::reserve().unwrap()).collect();
        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        assert!(TcpListener::bind((RESERVATIONS, ports[0].number())).is_err());
        TcpListener::bind(ports[0].addr()).unwrap();
    }
}
