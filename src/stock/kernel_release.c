// SPDX-License-Identifier: GPL-2.0
/* For src/stock/loading.rs: bindgen does not know struct uts_namespace. */
#include <linux/utsname.h>

const char *altpid_kernel_release(void);

/* The release of the running kernel, as in the first uts namespace. */
const char *altpid_kernel_release(void)
{
	return init_utsname()->release;
}
