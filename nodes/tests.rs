// SPDX-License-Identifier: GPL-2.0

/// Tests of trees that one thread uses. Tests with parallel readers and writers run in a guest: see
/// `tests/README.md`.
#[kernel::prelude::kunit_tests(rust_eventfs_node)]
mod one_thread {
    use super::super::{
        node::{
            Node,
            NodeRef,
            Payload,
            RcuNode, //
        },
        tree::{
            check_name,
            Tree, //
        },
    };
    use core::ptr::{
        self,
        NonNull, //
    };
    use kernel::{
        bindings,
        prelude::*,
        sync::{
            atomic::{
                Atomic,
                Relaxed, //
            },
            rcu,
            Arc, //
        },
        time::{
            Delta,
            Instant,
            Monotonic, //
        },
    };

    /// A payload without metadata, for trees of names.
    struct Empty;

    impl Payload for Empty {
        type Ext = ();

        fn new_ext() {}
    }

    /// A tree that has only a root.
    fn tree() -> Result<Pin<KBox<Tree<Empty>>>> {
        KBox::pin_init(Tree::with_root(|| Ok(Empty)), GFP_KERNEL)
    }

    /// Adds a node as eventfs does: unused memory is dropped after the tree lock.
    fn add(tree: &Tree<Empty>, parent: &Node<Empty>, name: &[u8]) -> Result<NodeRef<Empty>> {
        let new = tree.prepare(parent, name, Empty)?;
        let linked = tree.lock().link(new);
        let (node, _spare) = linked.map_err(|refused| refused.error)?;
        Ok(node)
    }

    /// Whether the children of a directory are exactly these, in this order.
    fn names_are(tree: &Tree<Empty>, parent: &Node<Empty>, names: &[&[u8]]) -> bool {
        let reader = tree.read();
        let mut children = parent.children(&reader);
        names.iter().all(|name| {
            children
                .next()
                .is_some_and(|child| child.head().name() == *name)
        }) && children.next().is_none()
    }

    /// Names with `/` or a zero byte, `.`, `..`, and names that are empty or too long are refused.
    #[test]
    fn names_are_checked() {
        assert_eq!(check_name(b""), Err(EINVAL));
        assert_eq!(check_name(b"."), Err(EINVAL));
        assert_eq!(check_name(b".."), Err(EINVAL));
        assert_eq!(check_name(b"a/b"), Err(EINVAL));
        assert_eq!(check_name(b"a\0b"), Err(EINVAL));
        assert_eq!(check_name(b"..."), Ok(()));
        assert_eq!(check_name(&[b'a'; 255]), Ok(()));
        assert_eq!(check_name(&[b'a'; 256]), Err(ENAMETOOLONG));
    }

    /// Children are listed in the order in which they were added, and found by name. A second child
    /// of the same name is refused.
    #[test]
    fn children_are_found_and_listed_in_order() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        for name in [b"one", b"two", b"six"] {
            add(&tree, &root, name)?;
        }
        assert!(names_are(&tree, &root, &[b"one", b"two", b"six"]));
        assert!(root.child(b"two", &tree.read()).is_some());
        assert!(root.child(b"ten", &tree.read()).is_none());
        assert_eq!(add(&tree, &root, b"two").err(), Some(EEXIST));
        Ok(())
    }

    /// A verified listing stays verified until the next change. To verify a generation that is over
    /// has no effect.
    #[test]
    fn changes_end_what_was_checked() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let newest = || tree.lock().verified(&root).map(|(count, _)| count);
        let generation = || tree.lock().generation(&root).ok_or(ENOENT);
        let one = add(&tree, &root, b"one")?;
        let before = generation()?;
        let two = add(&tree, &root, b"two")?;
        assert!(newest().is_none());
        tree.lock().set_verified(&root, before);
        assert!(newest().is_none());
        let now = generation()?;
        tree.lock().set_verified(&root, now);
        assert_eq!(newest(), Some(2));
        let last = tree.lock().verified(&root);
        assert!(last.is_some_and(|(_, last)| ptr::eq(&*last, &*two)));
        drop(tree.lock().remove(&one));
        assert!(newest().is_none());
        let now = generation()?;
        tree.lock().set_verified(&root, now);
        assert_eq!(newest(), Some(1));
        add(&tree, &root, b"six")?;
        assert!(newest().is_none());
        Ok(())
    }

    /// The first, a middle, the last and the only child each read as dead once removed (row U06 of
    /// `Documentation/upstream-defects.md`, as are the others here).
    #[test]
    fn any_child_can_be_removed() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let [a, b, c, d] = [b"a", b"b", b"c", b"d"].map(|name| add(&tree, &root, name));
        let [a, b, c, d] = [a?, b?, c?, d?];
        for (gone, left) in [
            (&b, &[b"a" as &[u8], b"c", b"d"] as &[&[u8]]),
            (&a, &[b"c", b"d"]),
            (&d, &[b"c"]),
            (&c, &[]),
        ] {
            let removed = tree.lock().remove(gone);
            assert!(removed.is_some());
            drop(removed);
            assert!(gone.is_dead());
            assert!(root.child(gone.name(), &tree.read()).is_none());
            assert!(names_are(&tree, &root, left));
            assert!(tree.lock().remove(gone).is_none());
        }
        add(&tree, &root, b"a")?;
        assert!(names_are(&tree, &root, &[b"a"]));
        Ok(())
    }

    /// A subtree is removed at once and without recursion. Its nodes may lose their last references
    /// in any order (U05, U26).
    #[test]
    fn deep_trees_are_removed() -> Result {
        let tree = tree()?;
        let mut path = KVec::new();
        path.push(tree.root()?, GFP_KERNEL)?;
        for _ in 0..1000 {
            let child = match path.last() {
                Some(parent) => add(&tree, parent, b"deep")?,
                None => return Err(EINVAL),
            };
            path.push(child, GFP_KERNEL)?;
        }
        let top = path.get(1).ok_or(EINVAL)?;
        let removed = tree.lock().remove(top);
        drop(removed);
        assert!(path.iter().skip(1).all(|node| node.is_dead()));
        assert_eq!(add(&tree, top, b"late").err(), Some(ENODEV));
        // The destructor of the tree waits until the last node is freed.
        Ok(())
    }

    /// A directory takes no memory for a list of children before it has one.
    #[test]
    fn lists_are_made_for_parents() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let (dir, other) = (add(&tree, &root, b"dir")?, add(&tree, &root, b"other")?);
        assert!(dir.payload().ext().is_none());
        assert!(names_are(&tree, &dir, &[]));
        assert!(dir.child(b"none", &tree.read()).is_none());
        let child = add(&tree, &dir, b"child")?;
        assert!(names_are(&tree, &dir, &[b"child"]));
        for node in [&root, &dir, &other, &child] {
            assert!(node.is_in(&tree));
        }
        let removed = tree.lock().remove(&child);
        drop(removed);
        assert!(names_are(&tree, &dir, &[]));
        add(&tree, &dir, b"child")?;
        assert!(names_are(&tree, &dir, &[b"child"]));
        Ok(())
    }

    /// A payload that counts its drops.
    struct Counting(Arc<Atomic<usize>>);

    impl Payload for Counting {
        type Ext = ();

        fn new_ext() {}
    }

    impl Drop for Counting {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// The payload of a node is dropped with its last reference. A reader that has found the node
    /// before still reads its name, and that it is dead (U06).
    #[test]
    fn payloads_go_with_the_last_reference() -> Result {
        let dropped = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let payload = || Counting(dropped.clone());
        let tree = KBox::pin_init(Tree::with_root(|| Ok(payload())), GFP_KERNEL)?;
        let root = tree.root()?;
        let mut nodes = KVec::new();
        for name in [b"one", b"two", b"six"] {
            let linked = tree.lock().link(tree.prepare(&root, name, payload())?);
            let (node, _spare) = linked.map_err(|refused| refused.error)?;
            nodes.push(node, GFP_KERNEL)?;
        }
        assert_eq!(dropped.load(Relaxed), 0);

        let reader = tree.read();
        let mut seen = KVec::new();
        for child in root.children(&reader) {
            seen.push(child, GFP_KERNEL)?;
        }
        for (count, node) in nodes.into_iter().enumerate() {
            let removed = tree.lock().remove(&node);
            drop(removed);
            assert_eq!(dropped.load(Relaxed), count);
            drop(node);
            assert_eq!(dropped.load(Relaxed), count + 1);
        }
        // RCU grace periods that pass meanwhile do not free the nodes: the reader is in an SRCU
        // one.
        // SAFETY: `rcu_barrier()` has no requirements but that it may sleep here.
        unsafe { bindings::rcu_barrier() };
        assert_eq!(tree.allocated(), 4);
        for (child, name) in seen.iter().zip([b"one", b"two", b"six"]) {
            assert!(child.is_dead());
            assert_eq!(child.head().name(), name);
            assert!(child.try_get().is_none());
        }
        // From the former first child a reader still gets to the next one.
        let next = seen.first().map(|child| child.next());
        assert!(next.is_some());
        let second = seen.get(1).map(|child| ptr::from_ref(child.head()).addr());
        assert_eq!(next.map(|next| next.addr()), second);
        drop(seen);
        drop(reader);

        // A node that is not linked is freed at once.
        drop(tree.prepare(&root, b"ten", payload())?);
        assert_eq!(dropped.load(Relaxed), 4);
        drop(root);
        drop(tree);
        assert_eq!(dropped.load(Relaxed), 5);
        Ok(())
    }

    /// A node stays in memory for an RCU path walk that has found it (rule L2 of
    /// `Documentation/design.md`).
    #[test]
    fn nodes_wait_for_path_walks() -> Result {
        let tree = tree()?;
        let node = add(&tree, &*tree.root()?, b"one")?;
        let removed = tree.lock().remove(&node);
        drop(removed);

        let walk = rcu::read_lock();
        // SAFETY: The node has a counted reference at the beginning of the RCU read-side critical
        // section, and `seen` is not used after the section.
        let seen = unsafe { RcuNode::new(NonNull::from(&*node)) };
        drop(node);
        // Time for the SRCU grace period, since there are no SRCU readers. Its callbacks run if
        // this can be preempted, as on the debug kernel.
        let begin = Instant::<Monotonic>::now();
        while begin.elapsed() < Delta::from_millis(200) && tree.allocated() == 2 {
            core::hint::spin_loop();
        }
        let (nodes, dead) = (tree.allocated(), seen.is_dead());
        let named = seen.head().name() == b"one";
        // After the critical section, since an assertion that fails sleeps.
        drop(walk);
        assert_eq!(nodes, 2);
        assert!(dead && named);
        Ok(())
    }

    /// A look-up does not find a node that a removal has marked dead and not yet unlinked (U10).
    #[test]
    fn half_removed_children_are_not_found() -> Result {
        let tree = tree()?;
        let root = tree.root()?;
        let node = add(&tree, &root, b"one")?;
        let found = || root.child(b"one", &tree.read()).is_some();
        assert!(found());
        // The first step of a removal.
        node.mark_dead();
        assert!(!found());
        // The node is still linked, and is removed with the tree.
        assert_eq!(tree.counts().linked, 2);
        Ok(())
    }

    /// A tree refuses to link or to remove nodes of another one.
    #[test]
    fn nodes_of_other_trees_are_refused() -> Result {
        let (one, other) = (tree()?, tree()?);
        let root = other.root()?;
        assert_eq!(add(&one, &root, b"a").err(), Some(EINVAL));
        let node = add(&other, &root, b"a")?;
        assert!(one.lock().remove(&node).is_none());
        assert!(!node.is_dead());
        Ok(())
    }
}
