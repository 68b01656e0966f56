//! The queue of work for the writer. Organizations take turns.
//!
//! Each organization has a queue of its own, whose work is done in order. A group becomes one transaction of the
//! database. It takes one piece of work from each queue in turn, then the next from each, until it has [`GROUP`] pieces
//! or [`ROWS`] rows. So an organization that writes much only delays its own work.
//!
//! A piece that is larger than a group may be, such as the creation of a group of 100,000 members, is taken out alone
//! and done in steps between groups (module `large`). Until it is done, the organization's other work waits, except
//! claims on its jobs.

use std::collections::{HashMap, VecDeque};

use crate::capability::storage::OrganizationId;

/// The most pieces of work in one transaction of the database, so that the first one does not wait too long.
pub(super) const GROUP: usize = 512;
/// The most rows that one transaction reads and writes: some 10 ms.
pub(super) const ROWS: usize = 4_096;
/// The most pieces of work that may wait; further ones are refused. They take one to three seconds.
const MOST: usize = 4_096;

/// A piece of work.
pub(super) trait Piece {
    /// How many rows it reads and writes.
    fn rows(&self) -> usize;

    /// Whether it reads or writes the organization's items, and must therefore wait for a large piece of the
    /// organization.
    fn concerns_items(&self) -> bool {
        true
    }
}

/// The queues of all organizations.
pub(super) struct Queue<P> {
    of: HashMap<OrganizationId, VecDeque<(u64, P)>>,
    /// The organizations with work, each once, in the order of their turns.
    ring: VecDeque<OrganizationId>,
    count: usize,
    /// The number of the next piece. Pieces are numbered in the order in which they came.
    next: u64,
    /// The organization whose large piece is being done.
    held: Option<OrganizationId>,
}

impl<P: Piece> Queue<P> {
    pub(super) fn new() -> Self {
        Self { of: HashMap::new(), ring: VecDeque::new(), count: 0, next: 0, held: None }
    }

    /// How many pieces wait.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Appends a piece to the organization's queue. It is returned if too many pieces wait, in total or for this
    /// organization, which may never use more of the space than it leaves free for others.
    pub(super) fn push(&mut self, organization: &OrganizationId, piece: P) -> Result<(), P> {
        let own = self.of.get(organization).map_or(0, VecDeque::len);
        if own >= MOST - self.count.min(MOST) {
            return Err(piece);
        }
        let number = self.next;
        self.next += 1;
        self.queue(organization).push_back((number, piece));
        self.count += 1;
        Ok(())
    }

    /// Puts pieces that could not be done back to the front of their queues.
    pub(super) fn put_back(&mut self, pieces: Vec<(OrganizationId, u64, P)>) {
        self.count += pieces.len();
        for (organization, number, piece) in pieces.into_iter().rev() {
            self.queue(&organization).push_front((number, piece));
        }
    }

    /// Whether this piece, at the front of the organization's queue, can't be in a group: it is too large for one, or waits
    /// until the organization's large piece is done.
    fn is_blocked(&self, organization: &OrganizationId, piece: &P) -> bool {
        piece.rows() > ROWS || (self.held.as_ref() == Some(organization) && piece.concerns_items())
    }

    /// How many pieces of a queue come before the first one that can't be in a group.
    fn reach(&self, organization: &OrganizationId, queue: &VecDeque<(u64, P)>) -> usize {
        queue.iter().take_while(|(_, piece)| !self.is_blocked(organization, piece)).count()
    }

    /// Whether any piece that is wanted can be in one of the next groups.
    pub(super) fn reaches(&self, is_wanted: impl Fn(&P) -> bool) -> bool {
        self.of.iter().any(|(organization, queue)| {
            queue.iter().take(self.reach(organization, queue)).any(|(_, piece)| is_wanted(piece))
        })
    }

    /// Takes out every piece that is wanted and can be in one of the next groups; the others keep their order.
    pub(super) fn take_out(&mut self, is_wanted: impl Fn(&P) -> bool) -> Vec<(OrganizationId, u64, P)> {
        let reach: Vec<_> = self.of.iter().map(|(of, queue)| (of.clone(), self.reach(of, queue))).collect();
        let mut taken = Vec::new();
        for (organization, reach) in reach {
            let queue = self.queue(&organization);
            for (place, (number, piece)) in std::mem::take(queue).into_iter().enumerate() {
                if place < reach && is_wanted(&piece) {
                    taken.push((organization.clone(), number, piece));
                } else {
                    queue.push_back((number, piece));
                }
            }
        }
        self.of.retain(|_, queue| !queue.is_empty());
        self.ring.retain(|organization| self.of.contains_key(organization));
        self.count -= taken.len();
        taken
    }

    /// The number of the next piece.
    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    /// Whether all pieces with a smaller number have been taken out.
    pub(super) fn is_past(&self, number: u64) -> bool {
        self.of.values().filter_map(VecDeque::front).all(|(waiting, _)| *waiting >= number)
    }

    /// The next group; empty if all waiting work is large or on hold.
    pub(super) fn take(&mut self) -> Vec<(OrganizationId, u64, P)> {
        let mut group = Vec::new();
        let (mut rows, mut passed) = (0, 0);
        while group.len() < GROUP && passed < self.ring.len() {
            let Some(organization) = self.ring.pop_front() else { break };
            let front = self.of.get(&organization).and_then(|queue| queue.front());
            let next = front.map_or(0, |(_, piece)| piece.rows());
            if front.is_some_and(|(_, piece)| self.is_blocked(&organization, piece)) {
                passed += 1;
                self.ring.push_back(organization);
                continue;
            }
            if rows + next > ROWS {
                // The organization comes first in the next group.
                self.ring.push_front(organization);
                break;
            }
            rows += next;
            passed = 0;
            group.extend(self.pop(organization));
        }
        group
    }

    /// The next piece that is larger than a group, unless one is being done. The organization's other work is on hold
    /// until it is released.
    pub(super) fn take_large(&mut self) -> Option<(OrganizationId, u64, P)> {
        if self.held.is_some() {
            return None;
        }
        let is_large = |of: &OrganizationId| {
            self.of.get(of).and_then(VecDeque::front).is_some_and(|(_, piece)| piece.rows() > ROWS)
        };
        let place = self.ring.iter().position(is_large)?;
        let organization = self.ring.remove(place)?;
        self.held = Some(organization.clone());
        self.pop(organization)
    }

    /// Ends the hold when the large piece is done.
    pub(super) fn release(&mut self) {
        self.held = None;
    }

    /// Takes the organization's first piece, and puts the organization at the end of the ring.
    fn pop(&mut self, organization: OrganizationId) -> Option<(OrganizationId, u64, P)> {
        let queue = self.of.get_mut(&organization)?;
        let (number, piece) = queue.pop_front()?;
        self.count -= 1;
        if queue.is_empty() {
            self.of.remove(&organization);
        } else {
            self.ring.push_back(organization.clone());
        }
        Some((organization, number, piece))
    }

    fn queue(&mut self, organization: &OrganizationId) -> &mut VecDeque<(u64, P)> {
        if !self.of.contains_key(organization) {
            self.ring.push_back(organization.clone());
        }
        self.of.entry(organization.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test piece with a name and a number of rows.
    #[derive(Debug, PartialEq)]
    struct Work(&'static str, usize);

    impl Piece for Work {
        fn rows(&self) -> usize {
            self.1
        }
    }

    fn queue(work: &[(&str, &'static str, usize)]) -> Queue<Work> {
        let mut queue = Queue::new();
        for (organization, name, rows) in work {
            queue.push(&OrganizationId::parse(organization).unwrap(), Work(name, *rows)).unwrap();
        }
        queue
    }

    fn group(queue: &mut Queue<Work>) -> Vec<&'static str> {
        queue.take().into_iter().map(|(_, _, work)| work.0).collect()
    }

    #[test]
    fn organizations_take_turns_and_each_ones_work_keeps_its_order() {
        let mut queue = queue(&[("a", "a1", 1), ("a", "a2", 1), ("a", "a3", 1), ("b", "b1", 1), ("c", "c1", 1)]);
        assert_eq!(group(&mut queue), ["a1", "b1", "c1", "a2", "a3"]);
        assert!(queue.take().is_empty() && queue.of.is_empty() && queue.ring.is_empty());
    }

    #[test]
    fn whoever_writes_much_waits_behind_themselves_and_not_before_others() {
        let mut queue = Queue::new();
        let [much, little] = ["much", "little"].map(|name| OrganizationId::parse(name).unwrap());
        for _ in 0..1_000 {
            queue.push(&much, Work("much", 1)).unwrap();
        }
        queue.push(&little, Work("little", 1)).unwrap();
        assert_eq!(group(&mut queue)[..3], ["much", "little", "much"]);
    }

    #[test]
    fn a_group_has_a_bounded_amount_of_work() {
        let half = ROWS / 2;
        let mut queue = queue(&[("a", "a1", half), ("b", "b1", half), ("c", "c1", half), ("a", "a2", half)]);
        assert_eq!(group(&mut queue), ["a1", "b1"]);
        assert_eq!(group(&mut queue), ["c1", "a2"]);
        for _ in 0..GROUP + 1 {
            queue.push(&OrganizationId::parse("a").unwrap(), Work("a", 0)).unwrap();
        }
        assert_eq!(group(&mut queue).len(), GROUP);
    }

    fn large(queue: &mut Queue<Work>) -> Option<&'static str> {
        queue.take_large().map(|(_, _, work)| work.0)
    }

    #[test]
    fn large_pieces_are_taken_one_at_a_time_and_hold_up_their_own_organization_alone() {
        let big = ROWS + 1;
        let mut queue = queue(&[("a", "A1", big), ("a", "a2", 1), ("a", "A3", big), ("b", "B1", big), ("c", "c1", 1)]);
        assert_eq!(group(&mut queue), ["c1"]);
        assert_eq!(large(&mut queue), Some("A1"));
        assert_eq!(large(&mut queue), None, "one is being done");
        queue.push(&OrganizationId::parse("c").unwrap(), Work("c2", 1)).unwrap();
        assert_eq!(group(&mut queue), ["c2"]);
        assert!(group(&mut queue).is_empty(), "what is behind it waits");
        queue.release();
        assert_eq!(group(&mut queue), ["a2"]);
        // Organizations take turns with large pieces, too.
        assert_eq!(large(&mut queue), Some("B1"));
        queue.release();
        assert_eq!(large(&mut queue), Some("A3"));
        queue.release();
        assert!(group(&mut queue).is_empty() && large(&mut queue).is_none() && queue.len() == 0);
    }

    #[test]
    fn one_organization_can_not_fill_the_queue() {
        let mut queue = Queue::new();
        let [one, other] = ["one", "other"].map(|name| OrganizationId::parse(name).unwrap());
        while queue.push(&one, Work("", 1)).is_ok() {}
        assert_eq!(queue.len(), MOST / 2);
        assert!(queue.push(&other, Work("", 1)).is_ok());
    }

    #[test]
    fn what_is_taken_out_leaves_the_others_in_their_order() {
        let mut queue = queue(&[("a", "a1", 1), ("a", "a2", 2), ("b", "b1", 2), ("a", "a3", 1), ("c", "c1", 1)]);
        let mut taken: Vec<_> = queue.take_out(|work| work.1 == 2).into_iter().map(|(_, _, work)| work.0).collect();
        taken.sort_unstable();
        assert_eq!(taken, ["a2", "b1"]);
        assert_eq!(queue.len(), 3);
        assert_eq!(group(&mut queue), ["a1", "c1", "a3"]);
        assert!(queue.take().is_empty() && queue.of.is_empty() && queue.ring.is_empty() && queue.len() == 0);
    }

    #[test]
    fn what_waits_for_a_large_piece_is_out_of_reach_and_not_taken_out() {
        let mut queue = queue(&[
            ("a", "large", ROWS + 1),
            ("a", "a2", 2),
            ("b", "b1", 1),
            ("b", "large", ROWS + 1),
            ("b", "b3", 2),
        ]);
        assert!(!queue.reaches(|work| work.1 == 2) && queue.reaches(|work| work.1 == 1));
        assert_eq!(queue.take_large().map(|(_, _, work)| work.0), Some("large"));
        assert!(!queue.reaches(|work| work.1 == 2));
        assert!(queue.take_out(|work| work.1 == 2).is_empty());
        assert_eq!((group(&mut queue), queue.len()), (vec!["b1"], 3));
        queue.release();
        assert!(queue.reaches(|work| work.1 == 2));
        assert_eq!(queue.take_out(|_| true).len(), 1, "b's piece still waits for the large one before it");
    }

    #[test]
    fn what_is_put_back_comes_first_again() {
        let mut queue = queue(&[("a", "a1", 1), ("a", "a2", 1), ("b", "b1", 1)]);
        let number = queue.next_number();
        let taken = queue.take();
        assert!(queue.is_past(number));
        queue.push(&OrganizationId::parse("a").unwrap(), Work("a3", 1)).unwrap();
        queue.put_back(taken);
        assert!(!queue.is_past(number));
        assert_eq!(queue.len(), 4);
        let order = group(&mut queue);
        let of_a: Vec<_> = order.iter().filter(|name| name.starts_with('a')).collect();
        assert_eq!(of_a, [&"a1", &"a2", &"a3"]);
    }
}
