import { readdir } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { slug } from '../report/file-name.ts';
import { readManifest } from '../results/reader.ts';
import { runPrefix } from './manifest.ts';

const RESULTS_ROOT = 'results';
const REPORTS_ROOT = 'reports';

/** results/<run> below the working folder, unless the user names a folder. */
export function resultsFolder(runId: string, out: string | undefined): string {
  return out ?? join(RESULTS_ROOT, runId);
}

/**
 * reports/<run> for a run under results/; a folder of the user's own keeps its report inside. Several runs together get a
 * folder under reports/ named for all of them.
 */
export function reportFolder(results: string | readonly string[], out?: string): string {
  if (out !== undefined) return out;
  const [resultsDir, ...others] = typeof results === 'string' ? [results] : results;
  if (resultsDir === undefined) throw new UserError('no results folder is named');
  if (others.length > 0) {
    const names = [resultsDir, ...others].map((dir) => basename(resolve(dir)));
    return join(REPORTS_ROOT, slug(names.join('-and-').toLowerCase()));
  }
  const below = relative(resolve(RESULTS_ROOT), resolve(resultsDir));
  const isOurs = below !== '' && !below.startsWith('..') && below === basename(resultsDir);
  return isOurs ? join(REPORTS_ROOT, below) : join(resultsDir, 'report');
}

/** The folder that `--resume` means: the named one, or the newest run of this config. */
export async function folderToResume(configFile: string, out: string | undefined): Promise<string> {
  if (out !== undefined) return out;
  const pattern = new RegExp(`^${escapeRegExp(runPrefix(configFile))}-\\d{8}-\\d{6}(\\d{3})?$`);
  const names = await readdir(RESULTS_ROOT).catch(() => []);
  for (const name of names
    .filter((found) => pattern.test(found))
    .sort()
    .reverse()) {
    const dir = join(RESULTS_ROOT, name);
    await readManifest(dir);
    return dir;
  }
  throw new UserError(`there is no run of ${configFile} under ${RESULTS_ROOT}/ to resume`, {
    hint: 'leave --resume out to start one, or name its folder with --out',
  });
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
