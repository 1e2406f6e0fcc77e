// SPDX-License-Identifier: GPL-2.0
/* What goes on in many processes when the end comes. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "members.h"

/* Forks are under way in many processes; init exits with 7 after so many microseconds, or never. */
void races(int after)
{
	for (int i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		for (int children = 0;;) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(0);
			children += pid > 0;
			/* One at a time, or a few. */
			while (children > (i % 2 ? 0 : 4) && wait(NULL) > 0)
				children--;
		}
	}
	if (after == 0)
		sleep_for_ever();
	usleep(after);
	_exit(7);
}

/* So many children sleep when init exits. */
void crowd(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0)
			sleep_for_ever();
		CHECK(pid == i + 2);
	}
}
