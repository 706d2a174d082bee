// SPDX-License-Identifier: GPL-2.0

/// Tests of the arithmetic of the keys, and of an index in one thread.
#[kernel::prelude::kunit_tests(rust_eventfs_index)]
mod tests {
    use super::super::*;
    use kernel::{
        new_srcu,
        sync::Srcu, //
    };

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

    /// Each marker has a place of its own, and segments have no gaps.
    #[test]
    fn rows_hold_each_bucket_once() {
        assert_eq!(segment_of(1), (0, 0));
        assert_eq!(segment_of(2), (1, 0));
        assert_eq!(segment_of(3), (1, 1));
        assert_eq!(segment_of(4), (2, 0));
        assert_eq!(segment_of(7), (2, 3));
    }

    /// An index, with a ring of elements of which some are in it.
    struct Ring {
        /// Dropped first: it waits for the callbacks.
        srcu: Pin<KBox<Srcu>>,
        /// The index.
        index: KBox<Index>,
        /// For changes to it.
        writer: Writer,
        /// The elements.
        links: KVVec<Link>,
        /// The first element that is in the index.
        first: usize,
        /// How many from there on are.
        count: usize,
    }

    impl Ring {
        /// So many elements are enough for 8 doublings.
        const ELEMENTS: u32 = 700;

        /// An index with nothing in it.
        fn new() -> Result<Self> {
            let mut links = KVVec::new();
            for number in 0..Self::ELEMENTS {
                let hash = number.wrapping_mul(0x9e37_79b9);
                links.push(Link::new(element_key(hash)), GFP_KERNEL)?;
            }
            Ok(Self {
                srcu: KBox::pin_init(new_srcu!("eventfs_test_srcu"), GFP_KERNEL)?,
                index: KBox::new(Index::new(), GFP_KERNEL)?,
                writer: Writer::new()?,
                links,
                first: 0,
                count: 0,
            })
        }

        /// The structure that readers are under.
        fn srcu_ptr(&self) -> *mut bindings::srcu_struct {
            // CAST: `Srcu` is a transparent wrapper.
            ptr::from_ref(&*self.srcu).cast_mut().cast()
        }

        /// The element that is so many behind the first one.
        fn link(&self, number: usize) -> Result<NonNull<Link>> {
            let place = (self.first + number).checked_rem(self.links.len());
            let link = place.and_then(|place| self.links.get(place));
            link.map(NonNull::from).ok_or(EINVAL)
        }

        /// Adds the next element.
        fn add(&mut self) -> Result {
            let spare = self.index.prepare_growth();
            if self.index.grow(&mut self.writer, spare).is_some() {
                return Err(EINVAL);
            }
            let link = self.link(self.count)?;
            // SAFETY: There is one thread, and the element stays where it is.
            unsafe { self.index.insert(&mut self.writer, link) };
            self.count += 1;
            Ok(())
        }

        /// Removes the first element.
        fn remove(&mut self) -> Result {
            let srcu = self.srcu_ptr();
            let link = self.link(0)?;
            // SAFETY: As above. `srcu` is dropped first.
            unsafe {
                let link = link.as_ref();
                self.index.remove(&mut self.writer, link, srcu);
            }
            self.first += 1;
            self.count -= 1;
            Ok(())
        }

        /// Whether an element is found.
        fn finds(&self, link: NonNull<Link>) -> bool {
            // SAFETY: The elements stay where they are.
            unsafe {
                let key = link.as_ref().key;
                self.index.find(key, |other| other == link).is_some()
            }
        }

        /// Whether that is found which is in the index, and nothing else.
        fn is_right(&self) -> bool {
            self.index.elements() == self.count
                && (0..self.links.len()).all(|number| {
                    self.link(number)
                        .is_ok_and(|link| self.finds(link) == (number < self.count))
                })
        }

        /// Adds or removes until there are so many, and looks everything up in between: an error
        /// if that is not right.
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

        /// Adds or removes until the newest segment is another one.
        fn change_segment(&mut self, step: fn(&mut Self) -> Result) -> Result {
            let before = self.newest();
            while self.newest() == before {
                step(self)?;
            }
            Ok(())
        }

        /// Adds and removes a few, many times, and says how often the newest segment is another one.
        fn changes_here(&mut self) -> Result<usize> {
            let mut changes = 0;
            for _ in 0..100 {
                for step in [Self::add, Self::remove, Self::remove, Self::add] {
                    let before = self.newest();
                    step(self)?;
                    changes += usize::from(self.newest() != before);
                }
                // No segment is kept from coming back.
                self.wait();
            }
            Ok(changes)
        }

        /// Whether a segment is on its way in or out.
        fn is_moving(&self) -> bool {
            self.index.moving.load(Relaxed)
        }

        /// Waits until what is not needed is freed.
        fn wait(&self) {
            // SAFETY: The structure is valid.
            unsafe { bindings::srcu_barrier(self.srcu_ptr()) };
        }

        /// The number of buckets.
        fn buckets(&self) -> usize {
            self.index.buckets.load(Relaxed)
        }

        /// The segments that there is memory for.
        fn segments(&self) -> usize {
            self.writer.segments.len() + self.waiting()
        }

        /// Those of them that wait for a grace period.
        fn waiting(&self) -> usize {
            self.index
                .segments
                .iter()
                .filter(|segment| !segment.is_free())
                .count()
        }

        /// The segment of markers that came last, and how long it is.
        fn newest(&self) -> (*const Link, usize) {
            let segment = self.writer.segments.last();
            segment.map_or((ptr::null(), 0), |segment| {
                (segment.as_ptr(), segment.len())
            })
        }
    }

    /// Everything is found while the index grows, shrinks and grows again, and the memory is what
    /// it should be: at most 8 bytes an element while it grows, and none in the end.
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
            // One more while the last segment moves.
            assert!(ring.segments() <= doublings((least / MIN_LOAD_FACTOR).max(1)) + 1);
        }
        assert_eq!(ring.segments(), 0);
        assert_eq!(ring.buckets(), 1);
        Ok(())
    }

    /// The same without waiting for the grace periods.
    #[test]
    fn grows_while_rows_wait() -> Result {
        let mut ring = Ring::new()?;
        for _ in 0..3 {
            ring.change_to(700)?;
            ring.change_to(5)?;
            ring.change_to(200)?;
            ring.change_to(0)?;
        }
        ring.wait();
        assert_eq!(ring.segments(), 0);
        // And all is as it was in the beginning.
        ring.change_to(700)?;
        assert!(ring.buckets() * 2 * LOAD_FACTOR >= 700);
        Ok(())
    }

    /// Who adds and removes at a border does not change the segments each time.
    #[test]
    fn borders_are_wide() -> Result {
        let mut ring = Ring::new()?;
        ring.change_to(200)?;
        // A segment is on its way in.
        ring.change_segment(Ring::add)?;
        assert!(ring.is_moving());
        assert_eq!(ring.changes_here()?, 0);
        // It is in.
        while ring.is_moving() {
            ring.add()?;
        }
        assert_eq!(ring.changes_here()?, 0);
        // It goes out, and does not come back.
        while !ring.is_moving() {
            ring.remove()?;
        }
        assert!(ring.changes_here()? <= 1);
        ring.change_segment(Ring::remove)?;
        assert!(ring.changes_here()? <= 1);
        assert!(ring.is_right());
        Ok(())
    }

    /// A segment that is on its way in can turn round, and so can one that is on its way out.
    #[test]
    fn rows_turn_round() -> Result {
        let mut ring = Ring::new()?;
        while ring.buckets() < 64 {
            ring.add()?;
        }
        // On its way in.
        ring.change_segment(Ring::add)?;
        assert!(ring.is_moving());
        let segment = ring.newest();
        assert!(ring.is_right());
        while ring.newest() == segment {
            ring.remove()?;
            assert!(ring.is_right());
        }
        ring.wait();
        // On its way out: it comes back as it is.
        while !ring.is_moving() {
            ring.remove()?;
        }
        let segment = ring.newest();
        assert!(ring.writer.placed > 0);
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

    /// A reader that stands at a marker still finds what is there when the segment has gone, and the
    /// segment is not freed before the reader has left.
    #[test]
    fn readers_keep_rows() -> Result {
        let mut ring = Ring::new()?;
        ring.change_to(600)?;
        let buckets = ring.buckets();
        // One of the newer elements, whose search starts in the segment that goes first, stays.
        let in_last_row = |ring: &Ring, number| -> Option<(usize, NonNull<Link>)> {
            let link: NonNull<Link> = ring.link(number).ok()?;
            // SAFETY: The elements stay where they are.
            let bucket = bucket_of(unsafe { link.as_ref() }.key, buckets);
            (bucket >= buckets / 2).then_some((bucket, link))
        };
        let (bucket, stays) = (580..600)
            .find_map(|number| in_last_row(&ring, number))
            .ok_or(EINVAL)?;
        let reads = ring.srcu.as_ref().get_ref();
        // CAST: `Srcu` is a transparent wrapper.
        let srcu: *mut bindings::srcu_struct = ptr::from_ref(reads).cast_mut().cast();
        // SAFETY: The structure is valid until the ring is dropped.
        let section = unsafe { bindings::srcu_read_lock(srcu) };
        let start = ptr::from_ref(ring.index.marker(bucket));
        while ring.link(0)? != stays {
            ring.remove()?;
        }
        assert!(ring.waiting() > 0);
        // SAFETY: The marker and what is behind it stay during the critical section.
        let mut at = unsafe { start.as_ref() };
        let mut found = false;
        while let Some(link) = at {
            found |= ptr::eq(link, stays.as_ptr());
            // SAFETY: As above.
            at = unsafe { link.next.load(Acquire).as_ref() };
        }
        assert!(found);
        assert!(ring.waiting() > 0);
        assert!(ring.is_right());
        // SAFETY: As above; `section` came from there.
        unsafe { bindings::srcu_read_unlock(srcu, section) };
        ring.wait();
        assert_eq!(ring.waiting(), 0);
        Ok(())
    }
}
