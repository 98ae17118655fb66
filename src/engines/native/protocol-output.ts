import { writeSync } from 'node:fs';
import koffi from 'koffi';
import type { Reply } from '../../schema/protocol.ts';

/**
 * Keeps the original stdout for the protocol and points file descriptor 1 at stderr, so that nothing a native library
 * prints can corrupt the stream. Node has no dup2 of its own.
 */
export function openProtocolOutput(): (reply: Reply) => void {
  let fd = 1;
  if (process.platform !== 'win32') {
    const libc = koffi.load(null);
    fd = libc.func('int dup(int)')(1);
    libc.func('int dup2(int, int)')(2, 1);
  }
  return (reply) => {
    let rest = Buffer.from(`${JSON.stringify(reply)}\n`);
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(fd, rest));
      } catch (error) {
        // A pipe that Node made non-blocking: wait for the reader, there is nothing else to do.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  };
}
