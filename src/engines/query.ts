import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);
const answerSchema = z.object({ refusal: z.string().nullish() });
const TIME_LIMIT_MS = 60_000;

/**
 * Asks a program of ortbench's own, whose last line is JSON, whether a device can be had: in a process of its own, for
 * libraries that are loaded stay, and a broken driver takes its process with it.
 * @returns why not; null when it can
 */
export async function refusalOf(
  program: string,
  args: readonly string[],
  what: string,
): Promise<string | null> {
  try {
    const options = { timeout: TIME_LIMIT_MS, windowsHide: true };
    const { stdout } = await run(process.execPath, [program, ...args], options);
    return answerSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1)!)).refusal ?? null;
  } catch (error) {
    const { signal, stderr } = error as { signal?: string | null; stderr?: string };
    const said = signal ?? stderr?.trim().split('\n').at(-1) ?? String(error);
    return `${what} ends the process that tries it: ${said}`;
  }
}
