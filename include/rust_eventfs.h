/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eventfs for every module: directories and files that cost a few dozen bytes
 * each until somebody looks at them.
 *
 * What a module publishes appears in every mount of the file system eventfs,
 * whether it was mounted before or is mounted later. The functions are those of
 * the series "tracing: introducing eventfs", and the form with tables of
 * entries that the kernel's own eventfs has now; both may be mixed in a tree.
 *
 * Rules for all functions:
 *
 * - They may sleep, and take the locks of eventfs. Do not call them while a
 *   lock is held that one of the file operations, a callback or a release
 *   function takes: removal waits for those. A file's release(), and a release
 *   function, may remove other things; two that remove what the other is in
 *   wait for each other.
 * - A &struct eventfs_file is valid until it, or a directory that it is in, is
 *   removed. One of the kernel's own directories is not to be had.
 * - Where a parent is taken, an error pointer is answered with that error, so
 *   that a chain of calls needs one check.
 * - Common errors: -%EINVAL (a name that is %NULL, empty, "." or "..", or has a
 *   slash in it; a parent that is %NULL where there must be one, or
 *   %EVENTFS_EVENTS where that is not named),
 *   -%ENAMETOOLONG (more than 255 bytes), -%EEXIST (the name is taken, also by
 *   tracefs), -%ENODEV (the parent was removed, or the module goes), -%ENOENT
 *   (the parent is to be ``events``, and tracefs has none), -%EPERM (kernel
 *   lockdown), -%ENOMEM. When a function fails nothing is left behind, and no
 *   release function is called.
 *
 * The owner. Everything belongs to the module that made it: the macros below
 * pass %THIS_MODULE. A module may be unloaded at any time, open files do not
 * keep it: removal (and what the module has not removed when its exit function
 * returns is removed then) waits for file operations and callbacks that run,
 * closes what is still open as the last close would, and makes all later
 * operations fail with -%ENODEV. So the &file_operations.owner of a module's
 * own files is not needed; it may be set. Operations that belong to *another*
 * module, as their owner says, keep that one loaded while such a file is open.
 *
 * File operations that are passed on: open, release, flush, llseek, read,
 * read_iter, write, write_iter, poll, unlocked_ioctl, compat_ioctl, fsync,
 * splice_read and splice_write. Those that cannot be taken back from a user
 * (mmap, mmap_prepare, iterate_shared, uring_cmd, setlease) are refused:
 * -%EINVAL. So are those of DEFINE_DEBUGFS_ATTRIBUTE(), which work in debugfs
 * only: DEFINE_SIMPLE_ATTRIBUTE() is for others. All that is not named here
 * (fasync, fallocate, lock, show_fdinfo, ..., and &file_operations.fop_flags) is
 * passed over: the file is as if it were not there. Files see their data in
 * &inode.i_private. And:
 *
 * - open() must not replace the file's &file.f_op.
 * - read_iter() and write_iter() are done when they return: they are never
 *   asked to complete later.
 * - splice_read() must not fill the pipe with buffers that have operations of
 *   the module's own: those outlive the file.
 * - A wait queue that poll() names must stay until release() is called.
 * - Until what a module leaves is removed, which is after its exit function has
 *   returned (or its init function has failed), all of it is still used:
 *   operations and callbacks run, and begin; then release() and the release
 *   functions are called. The exit function must not have freed what any of
 *   them uses. They must not register module notifiers then, nor load a module.
 *   They may remove something once more: what the module has left stays valid
 *   until all of it is removed.
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
 * For struct eventfs_entry and its callbacks. It declares functions of the
 * kernel's own eventfs, too, under names that are macros from here on.
 */
#include <linux/tracefs.h>

/**
 * struct eventfs_file - a directory or a file that a module has published
 *
 * Opaque.
 */
struct eventfs_file;

/**
 * EVENTFS_EVENTS - the directory ``events`` of each mount, as a parent
 *
 * Its subdirectories are the trace subsystems of the running kernel.
 */
#define EVENTFS_EVENTS ((struct eventfs_file *)1UL)

/* The functions behind the macros; the symbols have the names of these. */
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
 * eventfs_create_events_dir() - make the top directory of a tree
 * @name: its name
 * @parent: the directory to make it in: any of a module, %EVENTFS_EVENTS, or
 *	%NULL for the root of the mounts
 *
 * Return: the directory, mode 0755, without files; or an error pointer, see
 * above. -%EEXIST also says that tracefs has a file or directory of this name.
 */
#define eventfs_create_events_dir(name, parent) \
	__eventfs_create_events_dir(name, parent, THIS_MODULE)

/**
 * eventfs_add_subsystem_dir() - make a directory for a subsystem
 * @name: its name
 * @parent: an events directory, from eventfs_create_events_dir(); or %NULL or
 *	%EVENTFS_EVENTS for the ``events`` of the running kernel
 *
 * A subsystem that the running kernel has cannot be made again: -%EEXIST. If it
 * comes later (a probe in a group of this name) it is hidden in eventfs by this
 * directory, as long as that is there.
 *
 * Return: the directory, mode 0755, without files; or an error pointer. Another
 * parent than those is -%EINVAL.
 */
#define eventfs_add_subsystem_dir(name, parent) \
	__eventfs_add_subsystem_dir(name, parent, THIS_MODULE)

/**
 * eventfs_add_dir() - make a directory
 * @name: its name
 * @parent: any directory of a module
 *
 * Return: the directory, mode 0755, without files; or an error pointer.
 */
#define eventfs_add_dir(name, parent) __eventfs_add_dir(name, parent, THIS_MODULE)

/**
 * eventfs_add_events_file() - add a file to an events directory
 * @name: its name
 * @mode: its permissions, with or without %S_IFREG
 * @parent: from eventfs_create_events_dir()
 * @data: what the operations find in &inode.i_private
 * @fops: what its open files do; must stay until the file is removed
 *
 * Return: 0, or an error as for eventfs_add_file(). Another directory is
 * -%EINVAL.
 */
#define eventfs_add_events_file(name, mode, parent, data, fops) \
	__eventfs_add_events_file(name, mode, parent, data, fops, THIS_MODULE)

/**
 * eventfs_add_file() - add a file to a directory
 * @name: its name
 * @mode: its permissions, with or without %S_IFREG
 * @parent: any directory of a module
 * @data: what the operations find in &inode.i_private
 * @fops: what its open files do; must stay until the file is removed
 *
 * Each such file costs a node of its own: directories that have the same files
 * are better made by eventfs_create_dir().
 *
 * Return: 0, or a common error. -%EINVAL also for a mode that is not one of a
 * regular file, and for operations that are %NULL or among those refused.
 */
#define eventfs_add_file(name, mode, parent, data, fops) \
	__eventfs_add_file(name, mode, parent, data, fops, THIS_MODULE)

/**
 * eventfs_create_dir() - make a directory with the files of a table
 * @name: its name
 * @parent: any directory of a module, %EVENTFS_EVENTS, or %NULL for the root of
 *	the mounts
 * @entries: its files. Must stay as it is until the function that removes the
 *	directory has returned (or until the module goes), and may be shared:
 *	directories with the same table cost the same few bytes each, however
 *	many files it has.
 * @size: the number of entries
 * @data: for the callbacks, and (unless they say otherwise) for the operations
 *
 * When a name of the table is looked up, its &eventfs_entry.callback is called
 * (it may sleep; it must not remove anything). It gets @data, and says what the
 * file is: mode (permissions, with or without %S_IFREG), data for
 * &inode.i_private and operations, all of which it finds preset (0444, @data,
 * %NULL). It returns 1, or 0 or less if there is no such file at present: that
 * is not remembered, while what it says of a file that is there holds as long as
 * the kernel caches the name: so data and operations must stay until the
 * directory is removed. (Listings with readdir=metadata ask each time.) A
 * file with operations that are %NULL or refused, or with the mode of something
 * else, is not there either.
 *
 * When the directory is removed, &eventfs_entry.release of each entry that has
 * one is called once, with the name and @data, after all callbacks and
 * operations have returned and all open files are closed: from then on nothing
 * of it is used any more.
 *
 * Return: the directory, mode 0755; or an error pointer. -%EINVAL also for a
 * negative size, for a table that is %NULL and has a size, for an entry without
 * a callback or with a bad name (-%ENAMETOOLONG if it is too long), and for a
 * name that is there twice.
 */
#define eventfs_create_dir(name, parent, entries, size, data) \
	__eventfs_create_dir(name, parent, entries, size, data, THIS_MODULE)

/**
 * eventfs_remove() - remove a directory with all that is in it
 * @file: from one of the functions above; %NULL and error pointers are ignored
 *
 * When this returns, no path leads to it or to anything in it, no operation or
 * callback runs, all files are closed and the release functions were called
 * (those in a directory before its own). The pointers to it and to what was in
 * it are not valid any more. It cannot fail. Not to be called from an operation,
 * a callback or a release function of what is removed: it waits for them.
 */
#define eventfs_remove(file) __eventfs_remove(file)

/**
 * eventfs_remove_events_dir() - remove an events directory with all in it
 * @dir: from eventfs_create_events_dir(); %NULL and error pointers are ignored
 *
 * The same as eventfs_remove().
 */
#define eventfs_remove_events_dir(dir) __eventfs_remove_events_dir(dir)

/**
 * eventfs_remove_dir() - remove a directory that has a table, with all in it
 * @dir: from eventfs_create_dir(); %NULL and error pointers are ignored
 *
 * The same as eventfs_remove().
 */
#define eventfs_remove_dir(dir) __eventfs_remove_dir(dir)

/**
 * eventfs_lookup_and_remove() - remove a file or directory by its name
 * @name: the name
 * @parent: the directory that it is in: of a module, %EVENTFS_EVENTS, or %NULL
 *	for the root of the mounts
 *
 * For files from eventfs_add_file(), which are removed like this one by one,
 * and for directories. Only what the calling module has made by the functions
 * above is found: not entries of tables, nor what is the kernel's or another
 * module's.
 *
 * Works also while the module goes.
 *
 * Return: 0, -%ENOENT if there is nothing of this name, or one of the common
 * errors -%EINVAL, -%ENAMETOOLONG and -%ENODEV (for the parent). Also
 * -%ENOENT while another thread removes it, alone or together with a parent:
 * its operations may still run then.
 */
#define eventfs_lookup_and_remove(name, parent) \
	__eventfs_lookup_and_remove(name, parent, THIS_MODULE)

#endif /* _RUST_EVENTFS_H */
