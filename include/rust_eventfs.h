/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eventfs for modules: directories and files that cost about 100 bytes each
 * until they are looked up.
 *
 * Directories that a module publishes appear in every mount of eventfs,
 * existing or future. The functions are those of the series "tracing:
 * introducing eventfs", and the form with tables of entries that the kernel's
 * own eventfs has now. A tree may use both.
 *
 * Context
 *
 * All functions may sleep and take locks of eventfs. Removal waits for file
 * operations, callbacks and release functions, so a caller must not hold a lock
 * that one of these takes. A file's release() and a release function may remove
 * other directories and files. Two of them deadlock if each removes a directory
 * that the other one belongs to. A file system must not remove anything while it
 * releases a dentry or evicts an inode: a removal may do both, of what is mounted
 * on the removed directory.
 *
 * Parents
 *
 * A &struct eventfs_file is valid until it, or a directory that it is in, is
 * removed. There is none for the kernel's own directories, except
 * %EVENTFS_EVENTS. If a parent is an error pointer, a function returns that
 * error, so a chain of calls needs only one check at its end.
 *
 * Common errors
 *
 * -%EINVAL	the name is %NULL, empty, "." or "..", or contains a slash; the
 *		parent is %NULL where one is required, or %EVENTFS_EVENTS where
 *		it is not mentioned
 * -%ENAMETOOLONG	the name has more than 255 bytes
 * -%EEXIST	the name is taken, possibly by tracefs
 * -%ENODEV	the parent was removed, or the module is being unloaded
 * -%ENOENT	the parent is ``events``, and tracefs has none
 * -%EPERM	kernel lockdown
 * -%ENOMEM
 *
 * A function that fails leaves nothing behind, and calls no release function:
 * the caller still owns the data.
 *
 * Ownership
 *
 * Directories and files belong to the module that creates them: the macros
 * below pass %THIS_MODULE. A module can be unloaded at any time, because open
 * files do not pin it. What it has not removed when its exit function returns,
 * or its init function fails, is removed then. Removal waits for running file
 * operations and callbacks, closes open files as the last close would, and
 * makes all later operations fail with -%ENODEV. So a module need not set
 * &file_operations.owner in its own operations, but may. Operations with
 * another module as their owner pin that module while such a file is open.
 *
 * Until those leftovers are removed, operations and callbacks still run, and
 * new ones start; then release() and the release functions are called. So the
 * exit function must not free what any of these uses. At that time these must
 * not register module notifiers or load a module. They may remove a leftover
 * that is already removed: its &struct eventfs_file stays valid until all
 * leftovers of the module are removed.
 *
 * File operations
 *
 * Passed on: open, release, flush, llseek, read, read_iter, write, write_iter,
 * poll, unlocked_ioctl, compat_ioctl, fsync, splice_read and splice_write. They
 * find the data of the file in &inode.i_private.
 *
 * Refused with -%EINVAL, because they cannot be revoked: mmap, mmap_prepare,
 * iterate_shared, uring_cmd, setlease. So are the operations of
 * DEFINE_DEBUGFS_ATTRIBUTE(), which only work in debugfs; use
 * DEFINE_SIMPLE_ATTRIBUTE().
 *
 * Ignored: all others (fasync, fallocate, lock, show_fdinfo, ...), and
 * &file_operations.fop_flags.
 *
 * - open() must not replace &file.f_op.
 * - read_iter() and write_iter() are synchronous: they are never asked to
 *   complete later.
 * - splice_read() must not put buffers with operations of the module into the
 *   pipe, because these outlive the file.
 * - A wait queue passed to poll_wait() must stay until release() is called.
 */
#ifndef _RUST_EVENTFS_H
#define _RUST_EVENTFS_H

#include <linux/err.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/types.h>
/*
 * For struct eventfs_entry and its callbacks. It also declares functions of the
 * kernel's own eventfs, whose names are macros below.
 */
#include <linux/tracefs.h>

/**
 * struct eventfs_file - a directory or a file published by a module
 *
 * Opaque.
 */
struct eventfs_file;

/**
 * EVENTFS_EVENTS - the directory ``events`` of every mount, as a parent
 *
 * It contains the trace subsystems of the running kernel.
 */
#define EVENTFS_EVENTS ((struct eventfs_file *)1UL)

/* The functions behind the macros. The symbols are named like the macros. */
struct eventfs_file *__eventfs_create_events_dir(const char *name, struct eventfs_file *parent,
						 struct module *owner)
	__asm__("eventfs_create_events_dir");
struct eventfs_file *__eventfs_add_subsystem_dir(const char *name, struct eventfs_file *parent,
						 struct module *owner)
	__asm__("eventfs_add_subsystem_dir");
struct eventfs_file *__eventfs_add_dir(const char *name, struct eventfs_file *parent,
				       struct module *owner)
	__asm__("eventfs_add_dir");
int __eventfs_add_events_file(const char *name, umode_t mode, struct eventfs_file *parent,
			      void *data, const struct file_operations *fops, struct module *owner)
	__asm__("eventfs_add_events_file");
int __eventfs_add_file(const char *name, umode_t mode, struct eventfs_file *parent, void *data,
		       const struct file_operations *fops, struct module *owner)
	__asm__("eventfs_add_file");
struct eventfs_file *__eventfs_create_dir(const char *name, struct eventfs_file *parent,
					  const struct eventfs_entry *entries, int size, void *data,
					  struct module *owner)
	__asm__("eventfs_create_dir");
void __eventfs_remove(struct eventfs_file *file) __asm__("eventfs_remove");
void __eventfs_remove_events_dir(struct eventfs_file *dir) __asm__("eventfs_remove_events_dir");
void __eventfs_remove_dir(struct eventfs_file *dir) __asm__("eventfs_remove_dir");
int __eventfs_lookup_and_remove(const char *name, struct eventfs_file *parent,
				struct module *owner) __asm__("eventfs_lookup_and_remove");

/**
 * eventfs_create_events_dir() - create the top directory of a tree
 * @name: its name
 * @parent: any directory of a module, %EVENTFS_EVENTS, or %NULL for the root of
 *	the mounts
 *
 * The directory has mode 0755 and no files.
 *
 * Context: May sleep.
 * Return: The directory, valid until it is removed, or a common error as an
 * error pointer. -%EEXIST also if tracefs has a file or directory of this name.
 */
#define eventfs_create_events_dir(name, parent) \
	__eventfs_create_events_dir(name, parent, THIS_MODULE)

/**
 * eventfs_add_subsystem_dir() - create the directory of a subsystem
 * @name: its name
 * @parent: a directory from eventfs_create_events_dir(); %NULL or
 *	%EVENTFS_EVENTS for the ``events`` of the running kernel
 *
 * The directory has mode 0755 and no files. If the running kernel has a
 * subsystem of this name, the function fails with -%EEXIST. If such a subsystem
 * is created later (by a probe in a group of this name), the directory hides it
 * in eventfs.
 *
 * Context: May sleep.
 * Return: The directory, valid until it is removed, or a common error as an
 * error pointer. -%EINVAL also for any other parent.
 */
#define eventfs_add_subsystem_dir(name, parent) \
	__eventfs_add_subsystem_dir(name, parent, THIS_MODULE)

/**
 * eventfs_add_dir() - create a directory
 * @name: its name
 * @parent: any directory of a module
 *
 * The directory has mode 0755 and no files.
 *
 * Context: May sleep.
 * Return: The directory, valid until it is removed, or a common error as an
 * error pointer.
 */
#define eventfs_add_dir(name, parent) __eventfs_add_dir(name, parent, THIS_MODULE)

/**
 * eventfs_add_events_file() - add a file to an events directory
 * @name: its name
 * @mode: its permissions, with or without %S_IFREG
 * @parent: a directory from eventfs_create_events_dir()
 * @data: stored in &inode.i_private, for the operations
 * @fops: operations of its open files; must stay until the file is removed
 *
 * Context: May sleep.
 * Return: 0, or an error as of eventfs_add_file(). -%EINVAL also for any other
 * parent.
 */
#define eventfs_add_events_file(name, mode, parent, data, fops) \
	__eventfs_add_events_file(name, mode, parent, data, fops, THIS_MODULE)

/**
 * eventfs_add_file() - add a file to a directory
 * @name: its name
 * @mode: its permissions, with or without %S_IFREG
 * @parent: any directory of a module
 * @data: stored in &inode.i_private, for the operations
 * @fops: operations of its open files; must stay until the file is removed
 *
 * Each such file costs a node of its own. For directories that have the same
 * files, eventfs_create_dir() is cheaper.
 *
 * Context: May sleep.
 * Return: 0, or a common error. -%EINVAL also if the mode is not that of a
 * regular file, or the operations are %NULL or among those refused.
 */
#define eventfs_add_file(name, mode, parent, data, fops) \
	__eventfs_add_file(name, mode, parent, data, fops, THIS_MODULE)

/**
 * eventfs_create_dir() - create a directory with the files of a table
 * @name: its name
 * @parent: any directory of a module, %EVENTFS_EVENTS, or %NULL for the root of
 *	the mounts
 * @entries: its files. The table must not change until the function that
 *	removes the directory returns, or until the module is unloaded.
 * @size: the number of entries
 * @data: passed to the callbacks and release functions, and by default stored
 *	in &inode.i_private. The directory owns it until the release functions
 *	are called.
 *
 * Directories may share a table. Then each costs the same few bytes, no matter
 * how many files it has. The directory has mode 0755.
 *
 * A look-up of a name of the table calls its &eventfs_entry.callback. The
 * callback may sleep, but must not remove anything. It reports the file's mode
 * (permissions, with or without %S_IFREG), its data for &inode.i_private, and
 * its operations. These are preset to 0444, @data and %NULL.
 *
 * The callback returns 1 if the file exists, and 0 or less if it does not exist
 * at present. Nothing is cached for a file that does not exist. For one that
 * does exist, the result is used as long as the kernel caches the name, so its
 * data and operations must stay until the directory is removed. (With
 * readdir=metadata each listing calls the callback.) A file also does not exist
 * if its operations are %NULL or refused, or its mode is not that of a regular
 * file.
 *
 * Removal of the directory calls each &eventfs_entry.release of the table once,
 * with the name of the entry and @data. At that time all callbacks and
 * operations have returned and all open files are closed, so @data can be
 * freed.
 *
 * Context: May sleep.
 * Return: The directory, valid until it is removed, or a common error as an
 * error pointer. -%EINVAL also for a negative size, a table that is %NULL with
 * a size above 0, an entry without a callback or with a bad name, and a name
 * that occurs twice. -%ENAMETOOLONG also for a name of an entry.
 */
#define eventfs_create_dir(name, parent, entries, size, data) \
	__eventfs_create_dir(name, parent, entries, size, data, THIS_MODULE)

/**
 * eventfs_remove() - remove a directory and everything in it
 * @file: a directory from one of the functions above; %NULL and error pointers
 *	are ignored
 *
 * This cannot fail. When it returns, no path leads to the directory or to
 * anything in it, no operation or callback runs, all files are closed, and the
 * release functions have been called: those of a directory before those of its
 * parent. The &struct eventfs_file of the directory, and those of directories
 * in it, are no longer valid.
 *
 * Context: May sleep. Must not be called from an operation, a callback or a
 * release function of what is removed, because it waits for these.
 */
#define eventfs_remove(file) __eventfs_remove(file)

/**
 * eventfs_remove_events_dir() - remove an events directory and everything in it
 * @dir: a directory from eventfs_create_events_dir(); %NULL and error pointers
 *	are ignored
 *
 * The same as eventfs_remove().
 *
 * Context: As for eventfs_remove().
 */
#define eventfs_remove_events_dir(dir) __eventfs_remove_events_dir(dir)

/**
 * eventfs_remove_dir() - remove a directory with a table, and everything in it
 * @dir: a directory from eventfs_create_dir(); %NULL and error pointers are
 *	ignored
 *
 * The same as eventfs_remove().
 *
 * Context: As for eventfs_remove().
 */
#define eventfs_remove_dir(dir) __eventfs_remove_dir(dir)

/**
 * eventfs_lookup_and_remove() - remove a file or directory by its name
 * @name: the name
 * @parent: any directory of a module, %EVENTFS_EVENTS, or %NULL for the root of
 *	the mounts
 *
 * Removes, as eventfs_remove() does, a directory, or a file of
 * eventfs_add_file() or eventfs_add_events_file(); a single file can only be
 * removed in this way. It finds only what the calling module has created with
 * the functions above: no entries of tables, nothing of the kernel or of other
 * modules.
 *
 * Context: As for eventfs_remove(). Also works while the module is being
 * unloaded.
 * Return: 0; -%ENOENT if there is nothing of this name; or, for bad arguments,
 * -%EINVAL, -%ENAMETOOLONG, or -%ENODEV if the parent was removed. -%ENOENT
 * also while another thread removes it, alone or together with a parent: then
 * its operations may still run.
 */
#define eventfs_lookup_and_remove(name, parent) \
	__eventfs_lookup_and_remove(name, parent, THIS_MODULE)

#endif /* _RUST_EVENTFS_H */
