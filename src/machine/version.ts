import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../files/package-root.ts';

/** Of this ortbench. */
export function ortbenchVersion(): string {
  const file = join(packageRoot, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Twelve digits of its checkout's commit, with "-dirty" after changes; null where it is no checkout, or git is not there. */
export async function ortbenchCommit(root: string = packageRoot): Promise<string | null> {
  // Within another project's checkout git would tell that one's commit.
  if (!existsSync(join(root, '.git'))) return null;
  try {
    const describe = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
    const { stdout } = await promisify(execFile)('git', ['-C', root, ...describe], { timeout: 5000 });
    return stdout.trim() || null;
  } catch {
    return null;
  }
}
