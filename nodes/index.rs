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
//! markers the searches get longer, and nothing fails. Shrinking is the same backwards, by those
//! who remove: it allocates nothing, and what it frees goes when the readers have left.
//!
//! Markers come in *segments*: segment `r` has those of the 2^r buckets that come with a doubling. At most
//! one segment, the last, is on its way in or out. Readers do not start at its markers, but those who
//! began before it was on its way out may: such a marker leads on from where it was in the list, as
//! a removed element does, and it may be put back meanwhile. A segment whose last marker is out is
//! freed after a grace period. Until then no segment takes its place: readers that remember the greater
//! number of buckets would start at markers that are not in the list yet.

mod tests;

use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Refcount, //
    },
    types::Opaque, //
};

/// Elements per bucket at which the number of buckets is doubled.
///
/// A marker takes 16 bytes. After the doubling there are half as many elements per bucket: so while
/// a tree grows its index takes 4 to 8 bytes an element.
const LOAD_FACTOR: usize = 4;

/// Elements per bucket below which the number of buckets is halved.
///
/// That doubles it. From there, as after a doubling, the elements must double or become half as
/// many before it changes again: who adds and removes at a border does not pay each time.
const MIN_LOAD_FACTOR: usize = 1;

/// Markers that one insertion puts into the list while the index grows, or one removal takes out
/// while it shrinks.
///
/// More than `1 / MIN_LOAD_FACTOR`, so that it is done long before the next doubling or halving is due.
const MARKERS_PER_STEP: usize = 4;

/// The number of doublings that are possible: 2^24 buckets serve 64 million elements well.
const MAX_DOUBLINGS: usize = 24;

/// A place in the list: part of each element, or a marker.
pub(super) struct Link {
    /// The link behind this one, null at the end. Written under the tree lock; it stays as it is
    /// when this link is removed, for readers that are here.
    next: Atomic<*mut Link>,
    /// Position in the list: see [`element_key`] and [`marker_key`].
    key: u32,
    /// The references to the element: for who owns it, not for the list, and of no use in a marker.
    /// They are here because there would be padding.
    pub(super) refs: Refcount,
}

impl Link {
    /// A link that is in no list yet.
    pub(super) fn new(key: u32) -> Self {
        Self {
            next: Atomic::new(ptr::null_mut()),
            key,
            refs: Refcount::new(1),
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

/// The segment of markers, and the place in it, that hold the marker of a bucket other than 0.
///
/// Segment `r` holds the buckets from 2^r up to 2^(r + 1): those that came with that doubling.
fn segment_of(bucket: usize) -> (usize, usize) {
    let segment = doublings(bucket);
    (segment, bucket - (1 << segment))
}

/// A segment of markers, for readers, and its way to be freed.
///
/// The memory for that is not with the markers: a segment is exactly as long as what the allocator
/// gives, and with 16 bytes more it would take twice as much.
struct Segment {
    /// The first marker. Null while readers do not start here.
    markers: Atomic<*mut Link>,
    /// What waits for a grace period, null if there is nothing. Set under the tree lock.
    waiting: Atomic<*mut Link>,
    /// For the grace period, as long as `waiting` is not null.
    rcu: Opaque<bindings::callback_head>,
}

impl Segment {
    /// No segment.
    const fn new() -> Self {
        Self {
            markers: Atomic::new(ptr::null_mut()),
            waiting: Atomic::new(ptr::null_mut()),
            rcu: Opaque::uninit(),
        }
    }

    /// Whether there is nothing that waits for a grace period.
    fn is_free(&self) -> bool {
        self.waiting.load(Acquire).is_null()
    }

    /// Called after a grace period: nobody is at a marker of the segment any more.
    ///
    /// # Safety
    ///
    /// `head` is the `rcu` field of a segment whose `waiting` is the buffer of a full `KVVec`, of which
    /// it was the owner.
    unsafe extern "C" fn free(head: *mut bindings::callback_head) {
        let field = Opaque::cast_from(head);
        // SAFETY: By the safety requirements; the segment is valid, as the index waits for this.
        let segment = unsafe { &*kernel::container_of!(field, Self, rcu) };
        let markers = segment.waiting.load(Relaxed);
        // The first marker of a segment is that of the bucket whose number is the length of the segment.
        // SAFETY: The markers are valid until they are freed here.
        let len = unsafe { (*markers).key }.reverse_bits() as usize;
        // SAFETY: By the safety requirements. The vector was full.
        drop(unsafe { KVVec::from_raw_parts(markers, len, len) });
        segment.waiting.store(ptr::null_mut(), Release);
    }
}

/// What readers need of the index.
///
/// # Invariants
///
/// - The links that can be reached from `head` are sorted by key, and valid.
/// - For all buckets below `buckets`, the marker is in the list, and (but for bucket 0, whose
///   marker is `head`) `segments` points to the segment that holds it. The other segments are null.
/// - A segment is freed a grace period after it was made null in `segments` and its last marker left the
///   list, or with the index. No other takes its place before.
/// - The callbacks of segments that wait have run before the index is moved or freed.
pub(super) struct Index {
    /// The marker of bucket 0, with which the list begins.
    head: Link,
    /// The segments. See [`segment_of`].
    segments: [Segment; MAX_DOUBLINGS],
    /// The number of buckets: a power of two. Changed under the tree lock.
    buckets: Atomic<usize>,
    /// Whether a segment is on its way in or out. Changed under the tree lock.
    moving: Atomic<bool>,
    /// The elements in the list. Changed under the tree lock.
    elements: Atomic<usize>,
}

// SAFETY: What is not thread-safe by itself, the memory for grace periods, is used under the tree
// lock and by the callback, as `Segment` says.
unsafe impl Send for Index {}
// SAFETY: As above.
unsafe impl Sync for Index {}

/// What only writers need of the index; it is under the tree lock.
pub(super) struct Writer {
    /// The segments, the one that is on its way included. Their buffers do not move, and are full.
    segments: KVec<KVVec<Link>>,
    /// How many markers of the segment that is on its way are in the list.
    placed: usize,
}

/// Memory for the next segment of markers, taken before the tree lock is (L3).
pub(crate) struct SpareSegment(KVVec<Link>);

impl Writer {
    /// The state for an empty index. May sleep. All that the segments are listed in is allocated here.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            segments: KVec::with_capacity(MAX_DOUBLINGS, GFP_KERNEL)?,
            placed: 0,
        })
    }
}

impl Index {
    /// An index with one bucket and no elements.
    pub(super) fn new() -> Self {
        Self {
            head: Link::new(0),
            segments: [const { Segment::new() }; MAX_DOUBLINGS],
            buckets: Atomic::new(1),
            moving: Atomic::new(false),
            elements: Atomic::new(0),
        }
    }

    /// The marker of a bucket, or one before it.
    ///
    /// `bucket` must be below a value that `self.buckets` has had since the caller got hold of the
    /// tree lock, or entered its read-side critical section.
    fn marker(&self, bucket: usize) -> &Link {
        let mut bucket = bucket;
        while bucket != 0 {
            let (segment, place) = segment_of(bucket);
            let markers = self
                .segments
                .get(segment)
                .map_or(ptr::null_mut(), |segment| segment.markers.load(Acquire));
            if !markers.is_null() {
                // SAFETY: By the type invariant the segment is valid for those who find it, as is the
                // marker in it.
                return unsafe { &*markers.add(place) };
            }
            // The segment has gone since the caller looked: this bucket takes in what was in that one.
            bucket = place;
        }
        &self.head
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
    /// The caller must hold the tree lock. `link` must be valid for as long as it can be found.
    unsafe fn place(after: &Link, link: NonNull<Link>) {
        // SAFETY: By the safety requirements.
        let next = &unsafe { link.as_ref() }.next;
        // Release: a marker that comes back may have readers that are at it.
        next.store(after.next.load(Relaxed), Release);
        after.next.store(link.as_ptr(), Release);
    }

    /// Takes a link out of the list. Readers that are at it can go on from there.
    ///
    /// Returns whether it was there.
    ///
    /// # Safety
    ///
    /// The caller must hold the tree lock.
    unsafe fn take_out(&self, link: &Link) -> bool {
        let mut before = self.start(link.key);
        loop {
            let next = before.next.load(Relaxed);
            if ptr::eq(next, link) {
                before.next.store(link.next.load(Relaxed), Release);
                return true;
            }
            // SAFETY: Links in the list are valid, and do not leave it while the lock is held.
            match unsafe { next.as_ref() } {
                Some(next) => before = next,
                None => return false,
            }
        }
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
        self.elements.fetch_add(1, Relaxed);
        // SAFETY: As above.
        unsafe { self.place_markers(writer) };
    }

    /// Removes an element. Readers that are at it can go on from there.
    ///
    /// # Safety
    ///
    /// - The caller must hold the tree lock that `writer` is under, and `link` must be in the list.
    /// - `srcu` is the valid structure that readers are under. Its callbacks must have run before
    ///   the index is moved or freed.
    pub(super) unsafe fn remove(
        &self,
        writer: &mut Writer,
        link: &Link,
        srcu: *mut bindings::srcu_struct,
    ) {
        // SAFETY: The caller holds the tree lock.
        if !unsafe { self.take_out(link) } {
            // It was not there: its memory must not be freed as if it had been.
            kernel::warn_on!(true);
            return;
        }
        self.elements.fetch_sub(1, Relaxed);
        // SAFETY: By the safety requirements.
        unsafe { self.take_out_markers(writer, srcu) };
    }

    /// The elements in the list.
    pub(super) fn elements(&self) -> usize {
        self.elements.load(Relaxed)
    }

    /// Whether the next insertion finds the index full, and the next doubling can be prepared.
    fn is_full(&self) -> bool {
        let buckets = self.buckets.load(Relaxed);
        let segment = self.segments.get(doublings(buckets));
        self.elements() + 1 >= buckets.saturating_mul(LOAD_FACTOR)
            && !self.moving.load(Relaxed)
            && segment.is_some_and(Segment::is_free)
    }

    /// Takes memory for the next segment of markers if one will be due soon. May sleep.
    ///
    /// `None` also when memory is short: the index then stays as it is.
    pub(super) fn prepare_growth(&self) -> Option<SpareSegment> {
        if !self.is_full() {
            return None;
        }
        let buckets = self.buckets.load(Relaxed);
        let mut segment = KVVec::with_capacity(buckets, GFP_KERNEL | __GFP_NOWARN).ok()?;
        for place in 0..buckets {
            // This cannot fail: there is room.
            segment
                .push(Link::new(marker_key(buckets + place)), GFP_NOWAIT)
                .ok()?;
        }
        Some(SpareSegment(segment))
    }

    /// Takes over memory from [`Self::prepare_growth`], if it is still of use. To be called before
    /// an element is inserted.
    ///
    /// What it gives back is for the caller to free after the tree lock.
    pub(super) fn grow(
        &self,
        writer: &mut Writer,
        spare: Option<SpareSegment>,
    ) -> Option<SpareSegment> {
        let spare = spare?;
        let fits = spare.0.len() == self.buckets.load(Relaxed)
            && self.is_full()
            && writer.segments.len() < writer.segments.capacity();
        if !fits {
            return Some(spare);
        }
        // INVARIANT: Readers know nothing of the segment, and no other one waits in its place.
        if writer.segments.push_within_capacity(spare.0).is_ok() {
            writer.placed = 0;
            self.moving.store(true, Relaxed);
        }
        None
    }

    /// Puts some markers of the segment that is on its way into the list, if the elements are so many
    /// that it is of use; with the last one the buckets double.
    ///
    /// # Safety
    ///
    /// The caller must hold the tree lock that `writer` is under.
    unsafe fn place_markers(&self, writer: &mut Writer) {
        let buckets = self.buckets.load(Relaxed);
        if !self.moving.load(Relaxed) || self.elements() < buckets.saturating_mul(LOAD_FACTOR) {
            return;
        }
        let (Some(segment), Some(slot)) = (
            writer.segments.last(),
            self.segments.get(doublings(buckets)),
        ) else {
            return;
        };
        for marker in segment.iter().skip(writer.placed).take(MARKERS_PER_STEP) {
            // SAFETY: The caller holds the tree lock.
            let after = unsafe { Self::last_up_to(self.start(marker.key), marker.key) };
            // SAFETY: As above. By the type invariant markers are valid as long as they are found.
            unsafe { Self::place(after, NonNull::from(marker)) };
            writer.placed += 1;
        }
        if writer.placed == segment.len() {
            // INVARIANT: The markers of all the new buckets are in the list now.
            slot.markers.store(segment.as_ptr().cast_mut(), Release);
            self.buckets.store(buckets * 2, Release);
            self.moving.store(false, Relaxed);
        }
    }

    /// If there are few elements, halves the buckets, or takes some markers of the segment that is on
    /// its way out of the list; after the last one the segment is freed.
    ///
    /// # Safety
    ///
    /// As for [`Self::remove`].
    unsafe fn take_out_markers(&self, writer: &mut Writer, srcu: *mut bindings::srcu_struct) {
        let Some(segment) = writer.segments.last() else {
            return;
        };
        // There are half as many buckets without the segment as with it.
        let buckets = segment.len();
        let few = self.elements() < buckets.saturating_mul(2 * MIN_LOAD_FACTOR);
        let Some(slot) = self.segments.get(doublings(buckets)).filter(|_| few) else {
            return;
        };
        if !self.moving.load(Relaxed) {
            // INVARIANT: First readers stop to start there, then the markers leave the list.
            self.moving.store(true, Relaxed);
            self.buckets.store(buckets, Release);
            slot.markers.store(ptr::null_mut(), Release);
            writer.placed = buckets;
        }
        let left = writer.placed.saturating_sub(MARKERS_PER_STEP);
        for marker in segment.iter().take(writer.placed).skip(left) {
            // SAFETY: The caller holds the tree lock.
            let was_there = unsafe { self.take_out(marker) };
            // Not to be freed as if it was gone.
            if kernel::warn_on!(!was_there) {
                return;
            }
        }
        writer.placed = left;
        if left > 0 {
            return;
        }
        let Some(segment) = writer.segments.pop() else {
            return;
        };
        let (markers, _len, _capacity) = segment.into_raw_parts();
        // INVARIANT: The segment is null in `segments`, and none of its markers is in the list. As it is
        // not null in `waiting` until it is freed, no other takes its place.
        slot.waiting.store(markers, Relaxed);
        self.moving.store(false, Relaxed);
        // SAFETY: By the safety requirements `srcu` is valid, and the index, with the segment, stays
        // until the callback has run. Nothing else waited in this place: the segment that was here
        // could not have come. So the memory is in nobody's use.
        unsafe { bindings::call_srcu(srcu, slot.rcu.get(), Some(Segment::free)) };
    }
}
