// SPDX-License-Identifier: GPL-2.0

//! The index of a tree: finds the child of a directory by name in O(1) expected time (L11).
//!
//! # The list
//!
//! The index is a *split-ordered list* (Shalev and Shavit, "Split-ordered lists: lock-free
//! extensible hash tables"). One singly linked list holds all elements of the tree, sorted by the
//! bit-reversed hash. A bucket is a *marker* in that list: a link without an element, in front of
//! the elements of the bucket. A search starts at the marker of its bucket.
//!
//! ```text
//! 2 buckets   head(0) -> e e e e e e -> marker(1) -> o o o o o o
//! 4 buckets   head(0) -> e e -> marker(2) -> e e e e -> marker(1) -> o o o -> marker(3) -> o o o
//! ```
//!
//! Doubling the number of buckets splits each bucket in two. Since the list is sorted by reversed
//! bits, each half is already contiguous: the new markers go between the elements, and no element
//! moves. Readers are never stopped, and a reader sees every element that is linked throughout its
//! search. Writers are serialised by the tree lock: see [`IndexWriter`].
//!
//! # Growing and shrinking
//!
//! Each insertion places a few markers while the index grows. If there is no memory for more
//! markers, searches get longer and nothing fails. Each removal takes out a few markers while the
//! index shrinks. Shrinking allocates nothing, and frees the markers after a grace period.
//!
//! Markers come in *segments*: segment `s` holds the markers of the 2^s buckets that one doubling
//! adds. At most one segment, the last, is *moving*: some of its markers are in the list and some
//! are not. Searches do not start at the markers of a moving segment. A reader that began before
//! the segment started to leave may still stand at one of them. Such a marker leads on from where
//! it was in the list, as a removed element does, and it may be put back while the reader is there.
//!
//! A segment whose last marker has left the list is freed after a grace period. Until then no
//! segment takes its place: a reader that remembers the greater number of buckets would start at
//! markers that are not in the list yet.
//!
//! `(L11)` and its like are rules of `Documentation/design.md`.

mod tests;

use super::refcount::RefCount;
use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    bindings,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    types::Opaque, //
};

/// Elements per bucket at which the number of buckets doubles.
///
/// A marker takes 16 bytes, and a doubling leaves half as many elements per bucket. So the index
/// of a growing tree takes 4 to 8 bytes an element.
const LOAD_FACTOR: usize = 4;

/// Elements per bucket below which the number of buckets halves.
///
/// Halving leaves twice as many elements per bucket. From there, as after a doubling, the elements
/// must double or halve before the number of buckets changes again: adding and removing at a
/// border does not pay each time.
const MIN_LOAD_FACTOR: usize = 1;

/// Markers that one insertion or removal moves.
///
/// More than `1 / MIN_LOAD_FACTOR`, so that a segment has moved long before the next doubling or
/// halving is due.
const MARKERS_PER_STEP: usize = 4;

/// The largest number of doublings: 2^24 buckets serve 64 million elements well.
const MAX_DOUBLINGS: usize = 24;

/// An item of the list: part of each element, or a marker.
pub(super) struct Link {
    /// The next link, null at the end. Written under the tree lock. It keeps its value when this
    /// link is removed, for readers that stand here.
    next: Atomic<*mut Link>,
    /// Position in the list: see [`element_key`] and [`marker_key`].
    key: u32,
    /// References to the element, for its owners; the list does not use them, nor do markers. They
    /// are here because there would be padding otherwise.
    pub(super) refs: RefCount,
}

impl Link {
    /// A link that is in no list yet, with one reference.
    pub(super) fn new(key: u32) -> Self {
        Self {
            next: Atomic::new(ptr::null_mut()),
            key,
            refs: RefCount::one(),
        }
    }
}

/// The position of an element with this hash. It is odd, so it differs from that of every marker.
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
    // The lowest bit of the key replaces the highest bit of the hash. With fewer than 2^31 buckets
    // the mask clears it.
    key.reverse_bits() as usize & (buckets - 1)
}

/// The doublings that lead to this many buckets: the binary logarithm, rounded down. `buckets` is
/// not 0.
fn doublings(buckets: usize) -> usize {
    // CAST: There are 64 bits.
    (usize::BITS - 1).saturating_sub(buckets.leading_zeros()) as usize
}

/// The segment, and the place in it, of the marker of a bucket other than 0.
///
/// Segment `s` holds the buckets from 2^s up to 2^(s + 1).
fn segment_of(bucket: usize) -> (usize, usize) {
    let segment = doublings(bucket);
    (segment, bucket - (1 << segment))
}

/// A segment of markers as readers see it, and the way to free it.
///
/// The callback head is here and not with the markers: a segment is exactly as long as the
/// allocator's size class, and 16 bytes more would take twice as much.
///
/// # Invariants
///
/// `waiting` is null, or the buffer of a full `KVVec<Link>` that the segment owns; then `rcu`
/// belongs to the pending callback [`Self::free`].
struct Segment {
    /// The first marker. Null while searches do not start here.
    markers: Atomic<*mut Link>,
    /// Markers that wait for a grace period, null if there are none. Set under the tree lock.
    waiting: Atomic<*mut Link>,
    /// For the grace period, while `waiting` is not null.
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

    /// Whether no markers wait for a grace period here.
    fn is_free(&self) -> bool {
        self.waiting.load(Acquire).is_null()
    }

    /// Frees the markers, after a grace period: no reader stands at one of them.
    ///
    /// # Safety
    ///
    /// - `head` must be the `rcu` field of a segment that is still in memory, and whose `waiting`
    ///   is not null.
    /// - No reader must stand at one of the markers in `waiting`.
    unsafe extern "C" fn free(head: *mut bindings::callback_head) {
        let field = Opaque::cast_from(head);
        // SAFETY: By the safety requirements `head` is the `rcu` field of a segment in memory.
        let segment = unsafe { &*kernel::container_of!(field, Self, rcu) };
        let markers = segment.waiting.load(Relaxed);
        // The first marker of a segment is that of the bucket whose number is the length of the
        // segment.
        // SAFETY: `waiting` is not null, so by the type invariant it is the buffer of a vector,
        // which is freed only below. The vector is not empty: it was full with its markers.
        let len = unsafe { (*markers).key }.reverse_bits() as usize;
        // SAFETY: By the type invariant the segment owns the buffer of a full vector of `len`
        // markers, which nobody else uses by the safety requirements. `waiting` is cleared below,
        // so the buffer is not freed twice.
        drop(unsafe { KVVec::from_raw_parts(markers, len, len) });
        // INVARIANT: Null, and the callback head is not used after this function.
        segment.waiting.store(ptr::null_mut(), Release);
    }
}

/// The index, as readers see it.
///
/// # Invariants
///
/// - The links that can be reached from `head` are sorted by key. Each is in memory for every
///   caller that holds the tree lock, or is in a read-side critical section that began before the
///   link left the list.
/// - For each bucket below `buckets` the marker is in the list, and (but for bucket 0, whose marker
///   is `head`) `segments` points to the segment that holds it. The other segments are null.
/// - A segment is freed a grace period after it became null in `segments` and its last marker left
///   the list, or with the index. No other segment takes its place before.
/// - The callbacks of segments that wait have run before the index is moved or freed.
pub(super) struct Index {
    /// The marker of bucket 0, with which the list begins.
    head: Link,
    /// The segments. See [`segment_of`].
    segments: [Segment; MAX_DOUBLINGS],
    /// The number of buckets: a power of two. Changed under the tree lock.
    buckets: Atomic<usize>,
    /// Whether the last segment is moving. Changed under the tree lock.
    moving: Atomic<bool>,
    /// The elements in the list. Changed under the tree lock.
    elements: Atomic<usize>,
}

// SAFETY: All fields but the callback heads of the segments are atomics and integers. A callback
// head is written by the `IndexWriter` that makes its segment wait, which is unique as it borrows
// the `WriterState` mutably, and then belongs to the grace period until the callback has cleared
// `waiting`. Neither depends on the thread.
unsafe impl Send for Index {}
// SAFETY: Shared references give access to atomics and integers only. The callback heads are
// written by the unique `IndexWriter` and by the callback, never at the same time: the writer waits
// until `waiting` is null.
unsafe impl Sync for Index {}

/// The part of the index that only a writer uses: under the tree lock.
pub(super) struct WriterState {
    /// The segments, the moving one included. Their buffers do not move, and are full.
    segments: KVec<KVVec<Link>>,
    /// The number of markers of the moving segment that are in the list.
    placed: usize,
}

/// Memory for the next segment of markers, allocated before the tree lock is taken (L3).
pub(crate) struct SpareSegment(KVVec<Link>);

impl WriterState {
    /// The state for an empty index. May sleep. The list of segments is allocated here as a whole.
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

    /// The marker of a bucket, or one before it in the list.
    ///
    /// `bucket` is below a value that `self.buckets` has had since the caller took the tree lock or
    /// entered its read-side critical section.
    ///
    /// # Safety
    ///
    /// While the result is in use, the caller must be in a read-side critical section of the
    /// structure that [`Self::write`] got, or hold the tree lock and remove nothing.
    unsafe fn marker(&self, bucket: usize) -> &Link {
        let mut bucket = bucket;
        while bucket != 0 {
            let (segment, place) = segment_of(bucket);
            let markers = self
                .segments
                .get(segment)
                .map_or(ptr::null_mut(), |segment| segment.markers.load(Acquire));
            if !markers.is_null() {
                // SAFETY: By the type invariant a segment that is found in `segments` is freed a
                // grace period after a removal under the tree lock has made it null there. The
                // caller holds up the grace period, or holds the lock and removes nothing. Segment
                // `s` has 2^s markers, and `place` is less.
                return unsafe { &*markers.add(place) };
            }
            // The segment has gone since the caller looked: this bucket has its elements now.
            bucket = place;
        }
        &self.head
    }

    /// The marker from which a search for `key` starts.
    ///
    /// # Safety
    ///
    /// While the result is in use, the caller must be in a read-side critical section of the
    /// structure that [`Self::write`] got, or hold the tree lock and remove nothing.
    unsafe fn start(&self, key: u32) -> &Link {
        let bucket = bucket_of(key, self.buckets.load(Acquire));
        // SAFETY: The caller is in a read-side critical section, or holds the tree lock and removes
        // nothing, while the result is in use.
        unsafe { self.marker(bucket) }
    }

    /// Finds an element.
    ///
    /// # Safety
    ///
    /// During the call the caller must be in a read-side critical section of the structure that
    /// [`Self::write`] got, or hold the tree lock.
    pub(super) unsafe fn find(
        &self,
        key: u32,
        mut matches: impl FnMut(NonNull<Link>) -> bool,
    ) -> Option<NonNull<Link>> {
        // SAFETY: The caller is in a read-side critical section, or holds the tree lock. The result
        // is used here only, and nothing is removed here.
        let mut at = NonNull::new(unsafe { self.start(key) }.next.load(Acquire));
        while let Some(link) = at {
            // SAFETY: By the type invariant a link that is reached from one in the list stays in
            // memory while the tree lock is held, or until the read-side critical section ends.
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

    /// Begins a change of the index.
    ///
    /// # Safety
    ///
    /// - The caller must hold the tree lock for `'a`, and `state` must be what that lock protects
    ///   for this index: always the same, and made for it.
    /// - `srcu` must be valid, always the same, and the structure that readers of the index use.
    /// - The index must not move, and its callbacks on `srcu` must have run before it is freed.
    pub(super) unsafe fn write<'a>(
        &'a self,
        state: &'a mut WriterState,
        srcu: *mut bindings::srcu_struct,
    ) -> IndexWriter<'a> {
        // INVARIANT: The invariants are the safety requirements of this function.
        IndexWriter {
            index: self,
            state,
            srcu,
        }
    }

    /// The number of elements in the list.
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

    /// Allocates the next segment of markers if a doubling will be due soon. May sleep.
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
}

/// A change of the index, under the tree lock.
///
/// # Invariants
///
/// - The tree lock is held while the value exists, and `state` is what it protects for `index`. So
///   no other writer exists, and links in the list stay there unless this value takes them out.
/// - `srcu` is valid, and is the structure that all readers of `index` use.
/// - `index` does not move, and the callbacks on `srcu` run before it is freed.
pub(super) struct IndexWriter<'a> {
    /// The index to change.
    index: &'a Index,
    /// Its state for writers.
    state: &'a mut WriterState,
    /// The structure whose grace periods wait for readers of the index.
    srcu: *mut bindings::srcu_struct,
}

impl IndexWriter<'_> {
    /// Installs a segment from [`Index::prepare_growth`], if it is still of use. To be called
    /// before an element is inserted.
    ///
    /// Returns a segment that is not used, for the caller to free after the tree lock.
    pub(super) fn grow(&mut self, spare: Option<SpareSegment>) -> Option<SpareSegment> {
        let spare = spare?;
        let segments = &mut self.state.segments;
        let fits = spare.0.len() == self.index.buckets.load(Relaxed)
            && self.index.is_full()
            && segments.len() < segments.capacity();
        if !fits {
            return Some(spare);
        }
        // The keys of the markers depend on the length only, so it does not matter which index the
        // segment was made for.
        // INVARIANT: The segment is null in `segments` of the index, so readers do not find it. No
        // other segment waits in its place, since `is_full()` has checked that.
        if segments.push_within_capacity(spare.0).is_ok() {
            self.state.placed = 0;
            self.index.moving.store(true, Relaxed);
        }
        None
    }

    /// Inserts an element. From then on readers find it.
    ///
    /// # Safety
    ///
    /// `link` must be valid and in no list. After it was removed, it must stay in memory until a
    /// grace period of the readers has passed.
    pub(super) unsafe fn insert(&mut self, link: NonNull<Link>) {
        // SAFETY: `link` is valid by the safety requirements.
        let key = unsafe { link.as_ref() }.key;
        // SAFETY: `link` is valid, and stays in memory as long as readers may be at it, by the
        // safety requirements. It is put behind the last link with a smaller or the same key.
        unsafe { Self::place(self.last_up_to(key), link) };
        self.index.elements.fetch_add(1, Relaxed);
        self.place_markers();
    }

    /// Removes an element. Readers that stand at it can go on from there.
    ///
    /// An element that is not in the list is left alone.
    pub(super) fn remove(&mut self, link: &Link) {
        if kernel::warn_on!(!self.take_out(link)) {
            return;
        }
        self.index.elements.fetch_sub(1, Relaxed);
        self.take_out_markers();
    }

    /// The link from which a search for `key` starts.
    fn start(&self, key: u32) -> &Link {
        // SAFETY: By the type invariant the tree lock is held. Segments are freed by a writer, and
        // this one, which is the only one, is borrowed while the result is in use.
        unsafe { self.index.start(key) }
    }

    /// The last link in the list whose key is at most `key`.
    fn last_up_to(&self, key: u32) -> &Link {
        let mut at = self.start(key);
        // SAFETY: By the type invariants links in the list are in memory, and do not leave it, as
        // the tree lock is held.
        while let Some(next) = unsafe { at.next.load(Relaxed).as_ref() } {
            if next.key > key {
                break;
            }
            at = next;
        }
        at
    }

    /// Puts a link behind another one that is in the list. From then on readers find it.
    ///
    /// # Safety
    ///
    /// `link` must be valid and not in the list, have its place right behind `after`, and stay in
    /// memory as long as readers can find it.
    unsafe fn place(after: &Link, link: NonNull<Link>) {
        // SAFETY: `link` is valid by the safety requirements.
        let next = &unsafe { link.as_ref() }.next;
        // Release: readers may stand at a marker that comes back.
        next.store(after.next.load(Relaxed), Release);
        after.next.store(link.as_ptr(), Release);
    }

    /// Takes a link out of the list. Readers that stand at it can go on from there.
    ///
    /// Returns whether the link was in the list.
    fn take_out(&self, link: &Link) -> bool {
        let mut before = self.start(link.key);
        loop {
            let next = before.next.load(Relaxed);
            if ptr::eq(next, link) {
                before.next.store(link.next.load(Relaxed), Release);
                return true;
            }
            // SAFETY: By the type invariants links in the list are in memory, and do not leave it,
            // as the tree lock is held.
            match unsafe { next.as_ref() } {
                Some(next) => before = next,
                None => return false,
            }
        }
    }

    /// Places some markers of the moving segment if there are enough elements for it. With the last
    /// marker the number of buckets doubles.
    fn place_markers(&mut self) {
        let index = self.index;
        let buckets = index.buckets.load(Relaxed);
        let few = index.elements() < buckets.saturating_mul(LOAD_FACTOR);
        if few || !index.moving.load(Relaxed) {
            return;
        }
        let slot = index.segments.get(doublings(buckets));
        let (Some(segment), Some(slot)) = (self.state.segments.last(), slot) else {
            return;
        };
        for marker in segment
            .iter()
            .skip(self.state.placed)
            .take(MARKERS_PER_STEP)
        {
            // SAFETY: The marker is one of the moving segment that is not in the list. It is put
            // behind the last link with a smaller key. By the type invariant of `Index` it stays
            // in memory until a grace period after it has left the list.
            unsafe { Self::place(self.last_up_to(marker.key), NonNull::from(marker)) };
            self.state.placed += 1;
        }
        if self.state.placed == segment.len() {
            // INVARIANT: The markers of all the new buckets are in the list now.
            slot.markers.store(segment.as_ptr().cast_mut(), Release);
            index.buckets.store(buckets * 2, Release);
            index.moving.store(false, Relaxed);
        }
    }

    /// If there are few elements, halves the number of buckets, or takes out some markers of the
    /// moving segment. After the last marker the segment is freed.
    fn take_out_markers(&mut self) {
        let index = self.index;
        let Some(segment) = self.state.segments.last() else {
            return;
        };
        // There are half as many buckets without the segment as with it.
        let buckets = segment.len();
        let few = index.elements() < buckets.saturating_mul(2 * MIN_LOAD_FACTOR);
        let Some(slot) = index.segments.get(doublings(buckets)).filter(|_| few) else {
            return;
        };
        if !index.moving.load(Relaxed) {
            // INVARIANT: First searches stop starting here, then the markers leave the list.
            index.moving.store(true, Relaxed);
            index.buckets.store(buckets, Release);
            slot.markers.store(ptr::null_mut(), Release);
            self.state.placed = buckets;
        }
        let placed = self.state.placed;
        let left = placed.saturating_sub(MARKERS_PER_STEP);
        for marker in segment.iter().take(placed).skip(left) {
            // A marker that is not where it should be may be elsewhere in the list: its segment
            // must not be freed.
            if kernel::warn_on!(!self.take_out(marker)) {
                return;
            }
        }
        self.state.placed = left;
        if left == 0 {
            self.free_last_segment(slot);
        }
    }

    /// Frees the last segment, none of whose markers is in the list, after a grace period.
    fn free_last_segment(&mut self, slot: &Segment) {
        let Some(segment) = self.state.segments.pop() else {
            return;
        };
        let (markers, _len, _capacity) = segment.into_raw_parts();
        // INVARIANT: The segment is null in `segments`, and none of its markers is in the list. The
        // slot owns its buffer, which is full. `waiting` is not null until the buffer is freed, so
        // no other segment takes its place.
        slot.waiting.store(markers, Relaxed);
        self.index.moving.store(false, Relaxed);
        // SAFETY: By the type invariants `srcu` is valid, and the index, with the slot, stays where
        // it is until the callback has run. The callback head is not in use: nothing waited in this
        // slot, as `grow()` refuses a segment for a slot that is not free. When the callback runs,
        // no reader stands at a marker, as all markers have left the list before.
        unsafe { bindings::call_srcu(self.srcu, slot.rcu.get(), Some(Segment::free)) };
    }
}
