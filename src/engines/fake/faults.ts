import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../errors.ts';
import type { FakeOptions } from './engine.ts';

/** Longer than any test, and the longest that a timer takes. */
export const FOREVER_MS = 2 ** 30;
const BLOCK_BYTES = 16 * 2 ** 20;

/** Does what the scripted fault does, at the moment when a run begins; returns where there is none. */
export async function strike(fault: FakeOptions['fault']): Promise<void> {
  switch (fault) {
    case 'generate-fails':
      throw new EngineError('failed', 'scripted: the generation fails');
    case 'throws':
      throw new TypeError('scripted: a library threw this');
    case 'oom':
      throw new EngineError('oom', 'scripted: failed to allocate memory');
    case 'crash':
      process.stderr.write('scripted: about to crash\n');
      process.kill(process.pid, 'SIGSEGV');
      return sleep(10_000);
    case 'exit-silently':
      process.exit(0);
      break;
    case 'grandchild':
      spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      return sleep(FOREVER_MS);
    case 'deaf':
      process.on('SIGTERM', () => {});
      return sleep(FOREVER_MS);
    case 'hang':
      return sleep(FOREVER_MS);
    case 'blocks':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      break;
    case 'eats-memory':
      for (const held: Buffer[] = []; ; await sleep(1)) held.push(Buffer.alloc(BLOCK_BYTES, 1));
    default:
      return;
  }
}
