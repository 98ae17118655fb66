import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { execa } from 'execa';
import { InfrastructureError } from '../../../errors.ts';

const TAIL_LINES = 25;

export interface RunLogged {
  /** Everything that the program prints is appended to it. */
  readonly logFile: string;
  /** The whole environment of the program; this process's when left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onLine?: (line: string) => void;
  /** What to do when it fails. */
  readonly hint?: string;
}

/** Runs a program to its end. @throws InfrastructureError with the end of what it printed, and where the rest is. */
export async function runLogged(
  file: string,
  args: readonly string[],
  { logFile, env = process.env, onLine, hint }: RunLogged,
): Promise<void> {
  const log = createWriteStream(logFile, { flags: 'a' });
  const tail: string[] = [];
  const note = (line: string) => {
    log.write(`${line}\n`);
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
  };
  note(`$ ${[file, ...args].join(' ')}`);
  try {
    const program = execa(file, args, {
      reject: false,
      all: true,
      buffer: false,
      stdin: 'ignore',
      env,
      extendEnv: false,
    });
    for await (const line of program.iterable({ from: 'all' })) {
      note(line);
      onLine?.(line);
    }
    const { exitCode, signal, originalMessage } = await program;
    if (exitCode === 0) return;
    const how =
      exitCode === undefined ? (signal ?? originalMessage ?? 'no exit code') : `exit code ${exitCode}`;
    const advice = `the whole log: ${logFile}`;
    throw new InfrastructureError(`${file} ended with ${how}:\n${tail.join('\n')}`, {
      hint: hint === undefined ? advice : `${hint}; ${advice}`,
    });
  } finally {
    log.end();
    await finished(log);
  }
}
