// SPDX-License-Identifier: GPL-2.0

//! Publishing: directories and files of other modules in the tree.
//!
//! A module asks for a directory or a file by an exported function ([`ffi`]), whose arguments
//! become a request ([`request`]). The request adds a node to the tree. The node stores one word of
//! the module's data; its kind, which it shares with all nodes of the same owner and shape, stores
//! the rest ([`clients`]): the table of entries ([`entries`]), or the operations of a single file.
//!
//! # Life of a published directory
//!
//! 1. The request counts the node in the [`registry`] and links it. From then on look-ups find it.
//! 2. A look-up of a name of the table calls the module's callback. Each callback and each file
//!    operation runs under an active reference
//!    ([`Node::get_active`](crate::nodes::Node::get_active)), which only a node that was not
//!    removed gives.
//! 3. A removal unlinks the node and its descendants, and waits until their active references are
//!    gone. It releases the open files ([`proxy`]), calls the release functions of the table, and
//!    subtracts the node from the registry. Then it returns.
//! 4. When a module goes, all that it has left is removed before its memory is freed
//!    ([`publication`], [`owner`]).
//!
//! So operations, tables and data of a module are not used after the removal of the node that they
//! were given for.
//!
//! # Locks
//!
//! `Clients::kinds`, `Clients::handles` and the lock of [`publication`] are innermost. Functions of
//! modules are called without any lock but `Proxy::poll`.
//!
//! Corresponds to the callers' side of
//! [`fs/tracefs/event_inode.c`](srctree/fs/tracefs/event_inode.c).

mod args;
mod clients;
mod entries;
mod ffi;
mod fops;
mod owner;
mod poll;
mod proxy;
mod publication;
mod registry;
mod request;

pub(crate) use self::{
    publication::Publication,
    registry::Clients, //
};
