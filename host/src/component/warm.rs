//! Instances between two calls, each kept for its own organization.

use std::collections::{BTreeMap, HashMap};

use super::instance::Instance;
use crate::capability::storage::OrganizationId;

/// Kept instances: at most so many, and the one that waited longest goes first.
pub(super) struct Warm<T = Instance> {
    most: usize,
    /// When an instance was put here, in the order of all that were.
    next: u64,
    kept: HashMap<OrganizationId, Vec<(u64, T)>>,
    order: BTreeMap<u64, OrganizationId>,
}

impl<T> Warm<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, next: 0, kept: HashMap::new(), order: BTreeMap::new() }
    }

    /// The organization's instance that ran last: its memory is the most likely to be in the processor's caches.
    pub(super) fn take(&mut self, organization: &OrganizationId) -> Option<T> {
        let of_organization = self.kept.get_mut(organization)?;
        let (order, instance) = of_organization.pop()?;
        if of_organization.is_empty() {
            self.kept.remove(organization);
        }
        self.order.remove(&order);
        Some(instance)
    }

    /// Keeps the instance. The answer is what has to go for it; the caller drops it outside its lock.
    #[must_use]
    pub(super) fn put(&mut self, organization: OrganizationId, instance: T) -> Option<T> {
        if self.most == 0 {
            return Some(instance);
        }
        let dropped = if self.order.len() >= self.most { self.take_oldest() } else { None };
        self.order.insert(self.next, organization.clone());
        self.kept.entry(organization).or_default().push((self.next, instance));
        self.next += 1;
        dropped
    }

    /// Takes out those that `keep` refuses; for the sweep of what nobody calls any more.
    #[must_use]
    pub(super) fn sweep(&mut self, keep: impl Fn(&T) -> bool) -> Vec<T> {
        let mut dropped = Vec::new();
        for of_organization in self.kept.values_mut() {
            for (order, instance) in of_organization.extract_if(.., |(_, instance)| !keep(instance)) {
                self.order.remove(&order);
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
        if of_organization.is_empty() {
            self.kept.remove(&organization);
        }
        Some(instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    #[test]
    fn an_instance_is_given_to_its_own_organization_only() {
        let mut warm = Warm::new(4);
        assert_eq!(warm.put(organization("a"), 1), None);
        assert_eq!(warm.take(&organization("b")), None);
        assert_eq!(warm.take(&organization("a")), Some(1));
        assert_eq!(warm.take(&organization("a")), None);
    }

    #[test]
    fn the_one_that_waited_longest_goes_first() {
        let mut warm = Warm::new(2);
        assert_eq!(warm.put(organization("a"), 1), None);
        assert_eq!(warm.put(organization("b"), 2), None);
        assert_eq!(warm.put(organization("b"), 3), Some(1));
        assert_eq!(warm.put(organization("a"), 4), Some(2));
        assert_eq!(warm.take(&organization("b")), Some(3));
        assert_eq!(warm.put(organization("a"), 5), None);
        assert_eq!(warm.take(&organization("a")), Some(5));
        assert_eq!(warm.take(&organization("a")), Some(4));
        assert!(warm.order.is_empty() && warm.kept.is_empty());
    }

    #[test]
    fn a_sweep_drops_what_is_not_kept_and_nothing_else() {
        let mut warm = Warm::new(4);
        for (name, value) in [("a", 1), ("a", 2), ("b", 3)] {
            assert_eq!(warm.put(organization(name), value), None);
        }
        let mut dropped = warm.sweep(|value| *value == 2);
        dropped.sort_unstable();
        assert_eq!(dropped, [1, 3]);
        assert_eq!(warm.take(&organization("a")), Some(2));
        assert!(warm.order.is_empty() && warm.kept.is_empty());
    }
}
