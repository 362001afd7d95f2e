/* First process of every pod: it holds the pod's namespaces, reaps orphans, and ends at once when told to. */
#include <signal.h>
#include <sys/wait.h>

int main(void) {
	sigset_t wanted;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigprocmask(SIG_BLOCK, &wanted, 0);
	for (;;) {
		int got;
		if (sigwait(&wanted, &got)) continue;
		if (got != SIGCHLD) return 0;
		while (waitpid(-1, 0, WNOHANG) > 0) { }
	}
}
