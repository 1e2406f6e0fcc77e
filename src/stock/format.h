/* SPDX-License-Identifier: GPL-2.0 */
/* What stands for functions of the kernel, and what it needs of Rust. */
#ifndef ALTPID_STOCK_FORMAT_H
#define ALTPID_STOCK_FORMAT_H

struct seq_file;

/* rust/kernel/print.rs; like vsnprintf() it returns where the end would be. */
char *rust_fmt_argument(char *buf, char *end, const void *ptr);

/* For _printk() and seq_printf(): the linker's --wrap has them called. */
int __wrap__printk(const char *fmt, ...);
void __wrap_seq_printf(struct seq_file *m, const char *fmt, ...);

#endif
