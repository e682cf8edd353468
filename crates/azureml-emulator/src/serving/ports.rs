use std::{
    collections::BTreeSet,
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// Below what systems give to connections: one of those would take a port that a program was told, but does not listen on yet.
const RANGE: Range<u16> = 20_000..32_768;

/// The ports that programs were told to listen on, which no other is told meanwhile.
#[derive(Debug, Clone, Default)]
pub(super) struct Ports(Arc<Mutex<BTreeSet<u16>>>);

/// A port that is a program's for as long as this is there.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) number: u16,
    ports: Ports,
}

impl Ports {
    /// Any that is free.
    pub(super) fn free(&self) -> io::Result<Port> {
        // Somewhere, as other emulators look for ports too.
        let start = RandomState::new().build_hasher().finish() as usize % RANGE.len();
        let numbers = RANGE.cycle().skip(start).take(RANGE.len());
        if let Some(port) = numbers.into_iter().find_map(|number| self.exactly(number)) {
            return Ok(port);
        }
        loop {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            if let Some(port) = self.claim(listener.local_addr()?.port()) {
                return Ok(port);
            }
        }
    }

    /// That one, if it is free.
    pub(super) fn exactly(&self, number: u16) -> Option<Port> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        self.claim(number)
    }

    fn claim(&self, number: u16) -> Option<Port> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        is_new.then(|| Port { number, ports: self.clone() })
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.ports.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_a_port_that_another_has() {
        let ports = Ports::default();
        let port = ports.free().unwrap();
        assert!(RANGE.contains(&port.number));
        assert!(ports.exactly(port.number).is_none());
        let number = port.number;
        drop(port);
        let again = ports.exactly(number);
        assert_eq!(again.map(|port| port.number), Some(number));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(ports.exactly(listener.local_addr().unwrap().port()).is_none());
    }
}
