//! Instances that are kept between two calls, each for its own organization.

use std::collections::{BTreeMap, HashMap};

use crate::capability::storage::OrganizationId;

/// A value that uses memory while it is kept.
pub(super) trait Weighed {
    /// Its memory in bytes.
    fn size(&self) -> usize;
}

/// The kept instances. Their number and memory are limited, and the one that has waited longest is dropped first: kept
/// instances must leave the memory to running ones.
pub(super) struct Warm<T> {
    most: usize,
    /// The most bytes that all of them may use.
    most_memory: usize,
    /// The bytes that all of them use.
    memory: usize,
    /// The number of the next instance. Instances are numbered in the order in which they are put here.
    next: u64,
    kept: HashMap<OrganizationId, Vec<(u64, T)>>,
    order: BTreeMap<u64, OrganizationId>,
}

impl<T: Weighed> Warm<T> {
    pub(super) fn new(most: usize, most_memory: usize) -> Self {
        Self { most, most_memory, memory: 0, next: 0, kept: HashMap::new(), order: BTreeMap::new() }
    }

    /// How many instances are kept.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Takes the organization's instance that ran last: its memory is the most likely to be in the processor's caches.
    pub(super) fn take(&mut self, organization: &OrganizationId) -> Option<T> {
        let of_organization = self.kept.get_mut(organization)?;
        let (order, instance) = of_organization.pop()?;
        if of_organization.is_empty() {
            self.kept.remove(organization);
        }
        self.order.remove(&order);
        self.memory -= instance.size();
        Some(instance)
    }

    /// Keeps the instance. Returns the instances that must be dropped for it; the caller drops them after it has
    /// released its lock.
    #[must_use]
    pub(super) fn put(&mut self, organization: OrganizationId, instance: T) -> Vec<T> {
        if self.most == 0 || instance.size() > self.most_memory {
            return vec![instance];
        }
        let mut dropped = Vec::new();
        while self.order.len() >= self.most || self.memory + instance.size() > self.most_memory {
            let Some(oldest) = self.take_oldest() else { break };
            dropped.push(oldest);
        }
        self.memory += instance.size();
        self.order.insert(self.next, organization.clone());
        self.kept.entry(organization).or_default().push((self.next, instance));
        self.next += 1;
        dropped
    }

    /// Removes and returns the instances that `keep` refuses. The sweep uses it for instances that are no longer
    /// called.
    #[must_use]
    pub(super) fn sweep(&mut self, keep: impl Fn(&T) -> bool) -> Vec<T> {
        let mut dropped = Vec::new();
        for of_organization in self.kept.values_mut() {
            for (order, instance) in of_organization.extract_if(.., |(_, instance)| !keep(instance)) {
                self.order.remove(&order);
                self.memory -= instance.size();
                dropped.push(instance);
            }
        }
        self.kept.retain(|_, of_organization| !of_organization.is_empty());
        dropped
    }

    fn take_oldest(&mut self) -> Option<T> {
        let (order, organization) = self.order.pop_first()?;
        let of_organization = self.kept.get_mut(&organization)?;
        let place = of_organization.iter().position(|(of, _)| *of == order)?;
        let (_, instance) = of_organization.remove(place);
        self.memory -= instance.size();
        if of_organization.is_empty() {
            self.kept.remove(&organization);
        }
        Some(instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test value with a name and a size in bytes.
    #[derive(Debug, PartialEq)]
    struct Kept(u32, usize);

    impl Weighed for Kept {
        fn size(&self) -> usize {
            self.1
        }
    }

    fn organization(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    fn put(warm: &mut Warm<Kept>, name: &str, value: u32, size: usize) -> Vec<u32> {
        warm.put(organization(name), Kept(value, size)).into_iter().map(|dropped| dropped.0).collect()
    }

    fn take(warm: &mut Warm<Kept>, name: &str) -> Option<u32> {
        warm.take(&organization(name)).map(|kept| kept.0)
    }

    #[test]
    fn an_instance_is_given_to_its_own_organization_only() {
        let mut warm = Warm::new(4, 100);
        assert!(put(&mut warm, "a", 1, 1).is_empty());
        assert_eq!(take(&mut warm, "b"), None);
        assert_eq!(take(&mut warm, "a"), Some(1));
        assert_eq!(take(&mut warm, "a"), None);
    }

    #[test]
    fn the_one_that_waited_longest_goes_first() {
        let mut warm = Warm::new(2, 100);
        assert!(put(&mut warm, "a", 1, 1).is_empty());
        assert!(put(&mut warm, "b", 2, 1).is_empty());
        assert_eq!(put(&mut warm, "b", 3, 1), [1]);
        assert_eq!(put(&mut warm, "a", 4, 1), [2]);
        assert_eq!(take(&mut warm, "b"), Some(3));
        assert!(put(&mut warm, "a", 5, 1).is_empty());
        assert_eq!(take(&mut warm, "a"), Some(5));
        assert_eq!(take(&mut warm, "a"), Some(4));
        assert!(warm.order.is_empty() && warm.kept.is_empty() && warm.memory == 0);
    }

    #[test]
    fn what_is_kept_has_a_limited_amount_of_memory() {
        let mut warm = Warm::new(9, 10);
        assert!(put(&mut warm, "a", 1, 4).is_empty());
        assert!(put(&mut warm, "b", 2, 6).is_empty());
        assert_eq!(put(&mut warm, "c", 3, 5), [1, 2]);
        assert_eq!(put(&mut warm, "c", 4, 11), [4]);
        assert_eq!(take(&mut warm, "c"), Some(3));
        assert_eq!(warm.memory, 0);
    }

    #[test]
    fn a_sweep_drops_what_is_not_kept_and_nothing_else() {
        let mut warm = Warm::new(4, 100);
        for (name, value) in [("a", 1), ("a", 2), ("b", 3)] {
            assert!(put(&mut warm, name, value, 1).is_empty());
        }
        let mut dropped: Vec<u32> = warm.sweep(|kept| kept.0 == 2).into_iter().map(|kept| kept.0).collect();
        dropped.sort_unstable();
        assert_eq!(dropped, [1, 3]);
        assert_eq!(take(&mut warm, "a"), Some(2));
        assert!(warm.order.is_empty() && warm.kept.is_empty() && warm.memory == 0);
    }
}
