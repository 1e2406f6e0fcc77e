// SPDX-License-Identifier: GPL-2.0
/*
 * The helpers of the kernel's Rust crates, as far as the crates that are linked
 * into the module call them: those of the kernel itself are not exported, or a
 * kernel without Rust has none. helpers_needed.h is generated and makes the needed
 * ones visible; -fwhole-program drops the rest.
 */
#include "helpers.c"

#include "helpers_needed.h"
