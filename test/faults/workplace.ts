import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** A quick sweep of scripted engines. */
export const SWEEP = {
  models: ['llama-nano'],
  engines: ['fake'],
  precisions: ['fp32'],
  batchSizes: [1],
  promptLengths: [8],
  generate: 4,
  repetitions: 1,
  warmup: { runs: 1, seconds: 0 },
  minTimedSeconds: 0,
  measureMemory: false,
  threads: 1,
};

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own, in which the built command is run as a user would. */
export class HostilePlace {
  readonly dir = mkdtempSync(join(tmpdir(), 'ortbench-hostile-'));

  write(name: string, content: string | Uint8Array | Record<string, unknown>): string {
    const plain = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(this.dir, name), plain ? content : stringify(content));
    return name;
  }

  /** @param nodeArgs before the program, for hooks that watch it */
  async run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    nodeArgs: readonly string[] = [],
  ): Promise<Ended> {
    const child = spawn(process.execPath, [...nodeArgs, cli, ...args], {
      cwd: this.dir,
      env: { ...process.env, CI: '1', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  /** Every file below the folder with its bytes as text. */
  files(): { path: string; text: string }[] {
    return readdirSync(this.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path: path.slice(this.dir.length + 1), text: readFileSync(path, 'latin1') }));
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
