import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whatever a test puts into the temporary folder lies in one of this run's own, which goes with the run. */
export default function setup(): () => void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ortbench-tests-')));
  // Workers and what they start inherit it.
  process.env[process.platform === 'win32' ? 'TEMP' : 'TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
