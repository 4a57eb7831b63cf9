//! Room for connections: bounded for all, for an endpoint and for a client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::Limits;

#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    endpoints: HashMap<u32, usize>,
    clients: HashMap<u32, Share>,
}

/// What one client has.
#[derive(Debug)]
struct Share {
    connections: usize,
    requests: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

/// A connection's place, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    endpoint: u32,
    client: u32,
    /// Requests that the client may still begin.
    pub(crate) requests: Arc<Semaphore>,
    /// Bytes of bodies that the client may have in memory.
    pub(crate) memory: Arc<Semaphore>,
}

impl Places {
    /// A place for a connection, if there is room.
    pub(crate) fn take(self: &Arc<Self>, endpoint: u32, client: u32, limits: &Limits) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_endpoint = taken.endpoints.get(&endpoint).copied().unwrap_or(0);
        let of_client = taken.clients.get(&client).map_or(0, |share| share.connections);
        if taken.all >= limits.connections
            || of_endpoint >= limits.connections_per_endpoint
            || of_client >= limits.connections_per_client
        {
            return None;
        }
        taken.all += 1;
        *taken.endpoints.entry(endpoint).or_default() += 1;
        let share = taken.clients.entry(client).or_insert_with(|| Share {
            connections: 0,
            requests: Arc::new(Semaphore::new(limits.requests_per_client)),
            memory: Arc::new(Semaphore::new(limits.read_bodies_per_client)),
        });
        share.connections += 1;
        let (requests, memory) = (Arc::clone(&share.requests), Arc::clone(&share.memory));
        Some(Place { places: Arc::clone(self), endpoint, client, requests, memory })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(count) = taken.endpoints.get_mut(&self.endpoint) {
            *count -= 1;
            if *count == 0 {
                taken.endpoints.remove(&self.endpoint);
            }
        }
        if let Some(share) = taken.clients.get_mut(&self.client) {
            share.connections -= 1;
            if share.connections == 0 {
                taken.clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_leaves_room_for_others() {
        let limits = Limits { connections_per_endpoint: 3, connections_per_client: 2, ..Limits::default() };
        let places = Arc::new(Places::default());
        let first = places.take(1, 7, &limits).unwrap();
        let _second = places.take(1, 7, &limits).unwrap();
        assert!(places.take(1, 7, &limits).is_none());
        assert!(places.take(2, 7, &limits).is_none());
        let other = places.take(1, 8, &limits).unwrap();
        assert!(places.take(1, 9, &limits).is_none());
        drop(first);
        assert!(places.take(1, 7, &limits).is_some());
        drop(other);
        assert!(places.take(1, 9, &limits).is_some());
    }
}
