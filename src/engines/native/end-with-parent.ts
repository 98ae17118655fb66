import koffi from 'koffi';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const POLL_MS = 1_000;

/**
 * Ends this process with the one that started it, also where a native library holds the only thread: the end of stdin is
 * seen between two commands alone. On Linux the kernel does it; elsewhere it shows between two steps.
 */
export function endWithParent(): void {
  const parent = process.ppid;
  if (process.platform === 'linux') {
    const prctl = koffi
      .load(null)
      .func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return;
  }
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, POLL_MS).unref();
}
