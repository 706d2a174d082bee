// SPDX-License-Identifier: GPL-2.0

//! The index of a tree: finds the child of a directory by name in O(1) expected time (L11).
//!
//! It is a *split-ordered list* (Shalev and Shavit, "Split-ordered lists: lock-free extensible hash
//! tables"): one singly linked list holds all elements of the tree, sorted by the bit-reversed
//! hash. A bucket is a *marker* in that list, so that doubling the number of buckets moves no
//! element: it only puts new markers between those that are there. Readers are never stopped, and
//! each sees every element that is linked throughout its search. Writers are serialised by the tree
//! lock.
//!
//! Growing is done a few markers at a time, by those who add. When there is no memory for more
//! markers the searches get longer, and nothing fails. Removal allocates nothing.

use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};

/// Elements per bucket at which the number of buckets is doubled.
const LOAD: usize = 2;

/// Markers that one insertion puts into the list while the index grows.
///
/// More than `1 / LOAD`, so that a doubling is complete long before the next one is due.
const MARKERS_PER_INSERT: usize = 4;

/// The number of doublings that are possible: 2^24 buckets serve 32 million elements well.
const MAX_DOUBLINGS: usize = 24;

/// A place in the list: part of each element, or a marker.
pub(super) struct Link {
    /// The link behind this one, null at the end. Written under the tree lock; it stays as it is
    /// when this link is removed, for readers that are here.
    next: Atomic<*mut Link>,
    /// Position in the list: see [`element_key`] and [`marker_key`].
    key: u32,
}

impl Link {
    /// A link that is in no list yet.
    pub(super) const fn new(key: u32) -> Self {
        Self {
            next: Atomic::new(ptr::null_mut()),
            key,
        }
    }
}

/// The position of an element with this hash. It is odd, and so never that of a marker.
pub(super) fn element_key(hash: u32) -> u32 {
    hash.reverse_bits() | 1
}

/// The position of the marker of a bucket: before all elements of the bucket.
fn marker_key(bucket: usize) -> u32 {
    // CAST: There are at most 2^`MAX_DOUBLINGS` buckets.
    (bucket as u32).reverse_bits()
}

/// The bucket of a position when there are `buckets` (a power of two) of them.
fn bucket_of(key: u32, buckets: usize) -> usize {
    // The lowest bit of the key stands where the highest bit of the hash was; with fewer than
    // 2^31 buckets it is masked off.
    key.reverse_bits() as usize & (buckets - 1)
}

/// The doublings that lead to this many buckets: the binary logarithm, rounded down, of a number
/// that is not 0.
fn doublings(buckets: usize) -> usize {
    // CAST: There are 64 bits.
    (usize::BITS - 1).saturating_sub(buckets.leading_zeros()) as usize
}

/// The row of markers, and the place in it, that hold the marker of a bucket other than 0.
///
/// Row `r` holds the buckets from 2^r up to 2^(r + 1): those that came with that doubling.
fn row_of(bucket: usize) -> (usize, usize) {
    let row = doublings(bucket);
    (row, bucket - (1 << row))
}

/// What readers need of the index.
///
/// # Invariants
///
/// - The links that can be reached from `head` are sorted by key, and valid.
/// - For all buckets below `buckets`, the marker is in the list, and (but for bucket 0, whose
///   marker is `head`) `rows` points to the row that holds it.
/// - Rows are freed only with the index.
pub(super) struct Index {
    /// The marker of bucket 0, with which the list begins.
    head: Link,
    /// The first marker of each row, null while there is no such row. See [`row_of`].
    rows: [Atomic<*mut Link>; MAX_DOUBLINGS],
    /// The number of buckets: a power of two. Doubled under the tree lock.
    buckets: Atomic<usize>,
}

/// What only writers need of the index; it is under the tree lock.
pub(super) struct Writer {
    /// The elements in the list.
    elements: usize,
    /// The rows. INVARIANT: `Index::rows` points to their buffers, which do not move.
    rows: KVec<KVVec<Link>>,
    /// How many markers of the last row are in the list.
    placed: usize,
}

/// Memory for the next row of markers, taken before the tree lock is (L3).
pub(crate) struct Spare(KVVec<Link>);

impl Writer {
    /// The state for an empty index. May sleep. All that the rows are listed in is allocated here.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            elements: 0,
            rows: KVec::with_capacity(MAX_DOUBLINGS, GFP_KERNEL)?,
            placed: 0,
        })
    }
}

impl Index {
    /// An index with one bucket and no elements.
    pub(super) const fn new() -> Self {
        Self {
            head: Link::new(0),
            rows: [const { Atomic::new(ptr::null_mut()) }; MAX_DOUBLINGS],
            buckets: Atomic::new(1),
        }
    }

    /// The marker of a bucket.
    ///
    /// `bucket` must be below a value that `self.buckets` has had.
    fn marker(&self, bucket: usize) -> &Link {
        if bucket == 0 {
            return &self.head;
        }
        let (row, place) = row_of(bucket);
        match self.rows.get(row) {
            // SAFETY: By the type invariant the row is there and valid while `self` is, as is the
            // marker in it.
            Some(row) => unsafe { &*row.load(Acquire).add(place) },
            // No row was ever that long; the head is a right, if slow, start of any search.
            None => &self.head,
        }
    }

    /// The marker from which a search for `key` starts.
    fn start(&self, key: u32) -> &Link {
        self.marker(bucket_of(key, self.buckets.load(Acquire)))
    }

    /// Finds an element.
    ///
    /// # Safety
    ///
    /// The elements that can be found must stay valid during the call: the caller is in a read-side
    /// critical section that the removal of an element is followed by a grace period of, or holds
    /// the tree lock.
    pub(super) unsafe fn find(
        &self,
        key: u32,
        mut matches: impl FnMut(NonNull<Link>) -> bool,
    ) -> Option<NonNull<Link>> {
        let mut at = NonNull::new(self.start(key).next.load(Acquire));
        while let Some(link) = at {
            // SAFETY: Links in the list are valid, by the type invariant and the caller.
            let here = unsafe { link.as_ref() };
            if here.key > key {
                return None;
            }
            if here.key == key && matches(link) {
                return at;
            }
            at = NonNull::new(here.next.load(Acquire));
        }
        None
    }

    /// The last link from `start` on whose key is at most `key`.
    ///
    /// # Safety
    ///
    /// The caller must hold the tree lock.
    unsafe fn last_up_to<'a>(start: &'a Link, key: u32) -> &'a Link {
        let mut at = start;
        // SAFETY: Links in the list are valid, and do not leave it while the tree lock is held.
        while let Some(next) = unsafe { at.next.load(Relaxed).as_ref() } {
            if next.key > key {
                break;
            }
            at = next;
        }
        at
    }

    /// Puts a link behind another one. From then on readers find it.
    ///
    /// # Safety
    ///
    /// `link` must be valid for as long as it can be found.
    unsafe fn place(after: &Link, link: NonNull<Link>) {
        // SAFETY: By the safety requirements.
        let next = &unsafe { link.as_ref() }.next;
        next.store(after.next.load(Relaxed), Relaxed);
        after.next.store(link.as_ptr(), Release);
    }

    /// Inserts an element.
    ///
    /// # Safety
    ///
    /// - The caller must hold the tree lock that `writer` is under.
    /// - `link` must be in no list, and stay valid until it was removed and a grace period of the
    ///   readers has passed.
    pub(super) unsafe fn insert(&self, writer: &mut Writer, link: NonNull<Link>) {
        // SAFETY: It is valid by the caller's word.
        let key = unsafe { link.as_ref() }.key;
        // SAFETY: The caller holds the tree lock.
        let after = unsafe { Self::last_up_to(self.start(key), key) };
        // SAFETY: As above.
        unsafe { Self::place(after, link) };
        writer.elements += 1;
        // SAFETY: As above.
        unsafe { self.place_markers(writer) };
    }

    /// Removes an element. Readers that are at it can go on from there.
    ///
    /// # Safety
    ///
    /// The caller must hold the tree lock that `writer` is under, and `link` must be in the list.
    pub(super) unsafe fn remove(&self, writer: &mut Writer, link: &Link) {
        let mut before = self.start(link.key);
        loop {
            let next = before.next.load(Relaxed);
            if ptr::eq(next, link) {
                before.next.store(link.next.load(Relaxed), Release);
                writer.elements -= 1;
                return;
            }
            // SAFETY: `link` is in the list by the caller's word, behind the marker of its bucket;
            // so there is a link before it is met.
            match unsafe { next.as_ref() } {
                Some(next) => before = next,
                None => {
                    // It was not there: its memory must not be freed as if it had been.
                    kernel::warn_on!(true);
                    return;
                }
            }
        }
    }

    /// Takes memory for the next row of markers if one will be due soon. May sleep.
    ///
    /// `None` also when memory is short: the index then stays as it is.
    pub(super) fn prepare_growth(&self, elements: usize) -> Option<Spare> {
        let buckets = self.buckets.load(Relaxed);
        let full = elements >= buckets.saturating_mul(LOAD);
        if !full || buckets >= 1 << MAX_DOUBLINGS || !self.next_row(buckets).is_null() {
            return None;
        }
        let mut row = KVVec::with_capacity(buckets, GFP_KERNEL | __GFP_NOWARN).ok()?;
        for place in 0..buckets {
            // This cannot fail: there is room.
            row.push(Link::new(marker_key(buckets + place)), GFP_NOWAIT)
                .ok()?;
        }
        Some(Spare(row))
    }

    /// The row that the next doubling needs, null while it is not there.
    fn next_row(&self, buckets: usize) -> *mut Link {
        self.rows
            .get(doublings(buckets))
            .map_or(ptr::null_mut(), |row| row.load(Relaxed))
    }

    /// Takes over memory from [`Self::prepare_growth`], if it is still of use.
    ///
    /// What it gives back is for the caller to free after the tree lock.
    pub(super) fn grow(&self, writer: &mut Writer, spare: Option<Spare>) -> Option<Spare> {
        let spare = spare?;
        let buckets = self.buckets.load(Relaxed);
        let row = writer.rows.len();
        let fits =
            spare.0.len() == buckets && row == doublings(buckets) && row < writer.rows.capacity();
        let Some(slot) = self.rows.get(row).filter(|_| fits) else {
            return Some(spare);
        };
        let links = spare.0.as_ptr().cast_mut();
        if writer.rows.push_within_capacity(spare.0).is_ok() {
            slot.store(links, Release);
            writer.placed = 0;
        }
        None
    }

    /// Puts some markers of the newest row into the list; with the last one the buckets double.
    ///
    /// # Safety
    ///
    /// The caller must hold the tree lock that `writer` is under.
    unsafe fn place_markers(&self, writer: &mut Writer) {
        let buckets = self.buckets.load(Relaxed);
        let Some(row) = writer.rows.last().filter(|row| row.len() == buckets) else {
            return;
        };
        for marker in row.iter().skip(writer.placed).take(MARKERS_PER_INSERT) {
            // SAFETY: The caller holds the tree lock.
            let after = unsafe { Self::last_up_to(self.start(marker.key), marker.key) };
            // SAFETY: Markers are valid as long as the index is.
            unsafe { Self::place(after, NonNull::from(marker)) };
            writer.placed += 1;
        }
        if writer.placed == buckets {
            // INVARIANT: The markers of all the new buckets are in the list now.
            self.buckets.store(buckets * 2, Release);
        }
    }

    /// The elements in the list.
    pub(super) fn elements(writer: &Writer) -> usize {
        writer.elements
    }
}

/// Tests of the arithmetic of the keys, and of an index in one thread.
#[kunit_tests(rust_eventfs_index)]
mod tests {
    use super::*;

    /// A search that starts at the marker of its bucket misses no element.
    #[test]
    fn markers_precede_their_elements() {
        for bits in 0..8 {
            let buckets = 1usize << bits;
            for hash in 0..1000u32 {
                let hash = hash.wrapping_mul(0x9e37_79b9);
                let key = element_key(hash);
                let bucket = bucket_of(key, buckets);
                assert_eq!(bucket, hash as usize & (buckets - 1));
                assert!(marker_key(bucket) < key);
                // The marker of the next bucket in list order comes after the element.
                let next = marker_key(bucket).checked_add(1u32.checked_shl(32 - bits).unwrap_or(0));
                if let Some(next) = next.filter(|_| bits > 0) {
                    assert!(next > key);
                }
            }
        }
    }

    /// Each marker has a place of its own, and rows have no gaps.
    #[test]
    fn rows_hold_each_bucket_once() {
        assert_eq!(row_of(1), (0, 0));
        assert_eq!(row_of(2), (1, 0));
        assert_eq!(row_of(3), (1, 1));
        assert_eq!(row_of(4), (2, 0));
        assert_eq!(row_of(7), (2, 3));
    }

    /// The index finds all that is in it across several doublings.
    #[test]
    fn finds_what_was_inserted_while_growing_and_nothing_removed() -> Result {
        const COUNT: u32 = 500;

        let index = Index::new();
        let mut writer = Writer::new()?;
        let mut links = KVVec::new();
        for number in 0..COUNT {
            links.push(
                Link::new(element_key(number.wrapping_mul(0x9e37_79b9))),
                GFP_KERNEL,
            )?;
        }
        for link in &links {
            let spare = index.prepare_growth(Index::elements(&writer));
            assert!(index.grow(&mut writer, spare).is_none());
            // SAFETY: There is one thread, and `links` outlives the index's use of it.
            unsafe { index.insert(&mut writer, NonNull::from(link)) };
        }
        assert!(index.buckets.load(Relaxed) >= COUNT as usize / 4);
        // SAFETY: As above.
        let found = |link: &Link| unsafe {
            index
                .find(link.key, |other| ptr::eq(other.as_ptr(), link))
                .is_some()
        };
        assert!(links.iter().all(found));
        for link in links.iter().step_by(2) {
            // SAFETY: As above.
            unsafe { index.remove(&mut writer, link) };
        }
        for (number, link) in links.iter().enumerate() {
            assert_eq!(found(link), number % 2 == 1);
        }
        assert_eq!(Index::elements(&writer), COUNT as usize / 2);
        Ok(())
    }
}
