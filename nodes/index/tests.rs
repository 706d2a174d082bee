// SPDX-License-Identifier: GPL-2.0

/// Tests of the arithmetic of keys, and of an index that one thread uses.
#[kernel::prelude::kunit_tests(rust_eventfs_index)]
mod one_thread {
    use super::super::*;
    use kernel::{
        new_srcu,
        sync::Srcu, //
    };

    /// The marker of a bucket precedes all elements of the bucket, and the next marker follows
    /// them.
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

    /// Each marker has a place of its own, and segments have no gaps.
    #[test]
    fn segments_hold_each_bucket_once() {
        assert_eq!(segment_of(1), (0, 0));
        assert_eq!(segment_of(2), (1, 0));
        assert_eq!(segment_of(3), (1, 1));
        assert_eq!(segment_of(4), (2, 0));
        assert_eq!(segment_of(7), (2, 3));
    }

    /// An index, and a ring of elements, some of which are in the index.
    ///
    /// # Invariants
    ///
    /// `state` belongs to `index`, and `links` does not change, so that its elements do not move.
    struct Ring {
        /// Dropped first: its destructor waits for the callbacks.
        srcu: Pin<KBox<Srcu>>,
        /// The index.
        index: KBox<Index>,
        /// Its state for writers.
        state: WriterState,
        /// The elements.
        links: KVVec<Link>,
        /// The first element that is in the index.
        first: usize,
        /// The number of elements in the index, from that one on.
        count: usize,
    }

    impl Ring {
        /// Enough elements for 8 doublings.
        const ELEMENTS: u32 = 700;

        /// An empty index.
        fn new() -> Result<Self> {
            let mut links = KVVec::new();
            for number in 0..Self::ELEMENTS {
                let hash = number.wrapping_mul(0x9e37_79b9);
                links.push(Link::new(element_key(hash)), GFP_KERNEL)?;
            }
            Ok(Self {
                srcu: KBox::pin_init(new_srcu!("eventfs_test_srcu"), GFP_KERNEL)?,
                index: KBox::new(Index::new(), GFP_KERNEL)?,
                state: WriterState::new()?,
                links,
                first: 0,
                count: 0,
            })
        }

        /// The structure that readers of the index use.
        fn srcu_ptr(&self) -> *mut bindings::srcu_struct {
            // CAST: `Srcu` is a transparent wrapper.
            ptr::from_ref(&*self.srcu).cast_mut().cast()
        }

        /// A change of the index.
        fn writer(&mut self) -> IndexWriter<'_> {
            let srcu = self.srcu_ptr();
            // SAFETY: A mutable reference stands for the lock, and `state` belongs to `index`. Both
            // it and `srcu` are boxed, so they do not move. `srcu` is dropped first, and its
            // destructor waits for the callbacks.
            unsafe { self.index.write(&mut self.state, srcu) }
        }

        /// The element that follows the first one at this distance.
        fn link(&self, number: usize) -> Result<NonNull<Link>> {
            let place = (self.first + number).checked_rem(self.links.len());
            let link = place.and_then(|place| self.links.get(place));
            link.map(NonNull::from).ok_or(EINVAL)
        }

        /// Adds the next element.
        fn add(&mut self) -> Result {
            let spare = self.index.prepare_growth();
            if self.writer().grow(spare).is_some() {
                return Err(EINVAL);
            }
            let link = self.link(self.count)?;
            // SAFETY: `link` points into `links`, whose elements do not move by the type invariant
            // and are dropped after the index. `count` says that the element is not in the list:
            // each test has fewer elements in the index than there are.
            unsafe { self.writer().insert(link) };
            self.count += 1;
            Ok(())
        }

        /// Removes the first element.
        fn remove(&mut self) -> Result {
            let link = self.link(0)?;
            // SAFETY: `link` points into `links`, whose elements do not move by the type invariant.
            let link = unsafe { link.as_ref() };
            self.writer().remove(link);
            self.first += 1;
            self.count -= 1;
            Ok(())
        }

        /// Whether an element is found.
        fn finds(&self, link: NonNull<Link>) -> bool {
            // SAFETY: `link` points into `links`, whose elements do not move by the type invariant.
            let key = unsafe { link.as_ref() }.key;
            // SAFETY: The shared reference stands for the lock: changes need a mutable one.
            unsafe { self.index.find(key, |other| other == link) }.is_some()
        }

        /// Whether exactly the elements in the index are found.
        fn is_right(&self) -> bool {
            self.index.elements() == self.count
                && (0..self.links.len()).all(|number| {
                    self.link(number)
                        .is_ok_and(|link| self.finds(link) == (number < self.count))
                })
        }

        /// Adds or removes until there are `count` elements, and looks all of them up in between.
        ///
        /// # Errors
        ///
        /// `EINVAL`: a look-up was wrong.
        fn change_to(&mut self, count: usize) -> Result {
            while self.count != count {
                if self.count < count {
                    self.add()?;
                } else {
                    self.remove()?;
                }
                let look = self.count % 7 == 0 || self.is_moving() || self.count == count;
                if look && !self.is_right() {
                    return Err(EINVAL);
                }
            }
            Ok(())
        }

        /// Repeats `step` until the newest segment is another one.
        fn change_segment(&mut self, step: fn(&mut Self) -> Result) -> Result {
            let before = self.newest();
            while self.newest() == before {
                step(self)?;
            }
            Ok(())
        }

        /// Adds and removes a few elements, many times. Returns how often the newest segment
        /// changes.
        fn changes_here(&mut self) -> Result<usize> {
            let mut changes = 0;
            for _ in 0..100 {
                for step in [Self::add, Self::remove, Self::remove, Self::add] {
                    let before = self.newest();
                    step(self)?;
                    changes += usize::from(self.newest() != before);
                }
                // A segment that waits could not come back.
                self.wait();
            }
            Ok(changes)
        }

        /// Whether a segment is moving.
        fn is_moving(&self) -> bool {
            self.index.moving.load(Relaxed)
        }

        /// Waits until all segments that wait are freed.
        fn wait(&self) {
            // SAFETY: The structure is valid as long as the ring.
            unsafe { bindings::srcu_barrier(self.srcu_ptr()) };
        }

        /// The number of buckets.
        fn buckets(&self) -> usize {
            self.index.buckets.load(Relaxed)
        }

        /// The number of segments in memory.
        fn segments(&self) -> usize {
            self.state.segments.len() + self.waiting()
        }

        /// The number of segments that wait for a grace period.
        fn waiting(&self) -> usize {
            self.index
                .segments
                .iter()
                .filter(|segment| !segment.is_free())
                .count()
        }

        /// The segment that was added last, and its length.
        fn newest(&self) -> (*const Link, usize) {
            let segment = self.state.segments.last();
            segment.map_or((ptr::null(), 0), |segment| {
                (segment.as_ptr(), segment.len())
            })
        }
    }

    /// Look-ups are right while the index grows, shrinks and grows again. Its markers take at most
    /// 8 bytes an element while it grows, and no memory in the end.
    #[test]
    fn memory_follows_the_elements() -> Result {
        let mut ring = Ring::new()?;
        for (least, most) in [(0, 700), (40, 300), (0, 700), (3, 90), (0, 1)] {
            ring.change_to(most)?;
            assert!(ring.buckets() * size_of::<Link>() <= 8 * most.max(2));
            assert!(ring.buckets() * 2 * LOAD_FACTOR >= most);
            ring.change_to(least)?;
            ring.wait();
            assert_eq!(ring.waiting(), 0);
            // One more segment while the last one moves.
            assert!(ring.segments() <= doublings((least / MIN_LOAD_FACTOR).max(1)) + 1);
        }
        assert_eq!(ring.segments(), 0);
        assert_eq!(ring.buckets(), 1);
        Ok(())
    }

    /// The index grows and shrinks without waiting for grace periods.
    #[test]
    fn grows_while_segments_wait() -> Result {
        let mut ring = Ring::new()?;
        for _ in 0..3 {
            ring.change_to(700)?;
            ring.change_to(5)?;
            ring.change_to(200)?;
            ring.change_to(0)?;
        }
        ring.wait();
        assert_eq!(ring.segments(), 0);
        // Growing works as in the beginning.
        ring.change_to(700)?;
        assert!(ring.buckets() * 2 * LOAD_FACTOR >= 700);
        Ok(())
    }

    /// Adding and removing at a border does not change the segments each time.
    #[test]
    fn borders_are_wide() -> Result {
        let mut ring = Ring::new()?;
        ring.change_to(200)?;
        // A segment moves in.
        ring.change_segment(Ring::add)?;
        assert!(ring.is_moving());
        assert_eq!(ring.changes_here()?, 0);
        // It has moved in.
        while ring.is_moving() {
            ring.add()?;
        }
        assert_eq!(ring.changes_here()?, 0);
        // It moves out, and does not come back.
        while !ring.is_moving() {
            ring.remove()?;
        }
        assert!(ring.changes_here()? <= 1);
        ring.change_segment(Ring::remove)?;
        assert!(ring.changes_here()? <= 1);
        assert!(ring.is_right());
        Ok(())
    }

    /// A segment that moves in can turn round, and so can one that moves out.
    #[test]
    fn segments_turn_round() -> Result {
        let mut ring = Ring::new()?;
        while ring.buckets() < 64 {
            ring.add()?;
        }
        // A segment moves in, and out before all of its markers are placed.
        ring.change_segment(Ring::add)?;
        assert!(ring.is_moving());
        let segment = ring.newest();
        assert!(ring.is_right());
        while ring.newest() == segment {
            ring.remove()?;
            assert!(ring.is_right());
        }
        ring.wait();
        // A segment moves out, and in again before it is freed.
        while !ring.is_moving() {
            ring.remove()?;
        }
        let segment = ring.newest();
        assert!(ring.state.placed > 0);
        assert!(ring.is_right());
        while ring.is_moving() {
            ring.add()?;
            assert!(ring.is_right());
        }
        assert_eq!(ring.newest(), segment);
        assert_eq!(ring.waiting(), 0);
        ring.change_to(0)?;
        ring.wait();
        assert_eq!(ring.segments(), 0);
        Ok(())
    }

    /// A reader that stands at a marker reaches the elements behind it after the segment has left
    /// the list. The segment is freed after the reader has left.
    #[test]
    fn readers_keep_segments() -> Result {
        let mut ring = Ring::new()?;
        ring.change_to(600)?;
        let buckets = ring.buckets();
        // A newer element, whose search starts in the segment that leaves first, stays.
        let in_last_segment = |ring: &Ring, number| -> Option<(usize, NonNull<Link>)> {
            let link: NonNull<Link> = ring.link(number).ok()?;
            // SAFETY: `link` points into the elements of the ring, which do not move.
            let bucket = bucket_of(unsafe { link.as_ref() }.key, buckets);
            (bucket >= buckets / 2).then_some((bucket, link))
        };
        let (bucket, stays) = (580..600)
            .find_map(|number| in_last_segment(&ring, number))
            .ok_or(EINVAL)?;
        let srcu = ring.srcu_ptr();
        // SAFETY: The structure is valid until the ring is dropped.
        let section = unsafe { bindings::srcu_read_lock(srcu) };
        // SAFETY: The marker is used until the read-side critical section ends, not longer.
        let start = ptr::from_ref(unsafe { ring.index.marker(bucket) });
        while ring.link(0)? != stays {
            ring.remove()?;
        }
        assert!(ring.waiting() > 0);
        // SAFETY: The read-side critical section began before the marker left the list, so the
        // marker is in memory until the section ends.
        let mut at = unsafe { start.as_ref() };
        let mut found = false;
        while let Some(link) = at {
            found |= ptr::eq(link, stays.as_ptr());
            // SAFETY: What a link that is in memory leads to is in memory as long, by the type
            // invariant of `Index`. The elements are in memory as long as the ring.
            at = unsafe { link.next.load(Acquire).as_ref() };
        }
        assert!(found);
        assert!(ring.waiting() > 0);
        assert!(ring.is_right());
        // SAFETY: The structure is valid until the ring is dropped. `section` came from it, and is
        // given back once.
        unsafe { bindings::srcu_read_unlock(srcu, section) };
        ring.wait();
        assert_eq!(ring.waiting(), 0);
        Ok(())
    }
}
