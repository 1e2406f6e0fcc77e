// SPDX-License-Identifier: GPL-2.0
/*
 * "%pA": the kernel would let its own Rust format the arguments, which has another
 * compiler's layout of fmt::Arguments, or is not there. In a module with the crates
 * linked in these stand for _printk() and seq_printf() (--wrap), and let the
 * module's own rust_fmt_argument() do it.
 */
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "format.h"

/* What most messages fit into. */
#define SHORT 128

/*
 * The formats of rust/kernel/print.rs: a level, "%s: " for the module's name, and
 * "%pA"; without the first two for what continues a line.
 */
static int print_arguments(const char *fmt, va_list args)
{
	int level = fmt[0] == KERN_SOH_ASCII ? 2 : 0;
	bool named = strstr(fmt, "%s: ");
	const char *name = named ? va_arg(args, const char *) : "";
	const void *arguments = va_arg(args, const void *);
	char brief[SHORT], *text = brief;
	size_t size = sizeof(brief);
	size_t length = rust_fmt_argument(brief, brief + size, arguments) - brief;
	int ret;

	if (length >= size) {
		text = kmalloc(length + 1, GFP_ATOMIC | __GFP_NOWARN);
		if (text) {
			size = length + 1;
			rust_fmt_argument(text, text + size, arguments);
		} else {
			text = brief;
			length = size - 1;
		}
	}
	text[length] = 0;
	ret = __wrap__printk("%.*s%s%s%s", level, fmt, name, named ? ": " : "", text);
	if (text != brief)
		kfree(text);
	return ret;
}

int __wrap__printk(const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = strstr(fmt, "%pA") ? print_arguments(fmt, args) : vprintk(fmt, args);
	va_end(args);
	return ret;
}

void __wrap_seq_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (strcmp(fmt, "%pA")) {
		seq_vprintf(m, fmt, args);
	} else {
		char *buf, *end;
		size_t size = seq_get_buf(m, &buf);

		end = rust_fmt_argument(buf, buf + size, va_arg(args, const void *));
		/* Too long: seq_file asks again with a larger buffer. */
		seq_commit(m, size && end - buf < size ? end - buf : -1);
	}
	va_end(args);
}
