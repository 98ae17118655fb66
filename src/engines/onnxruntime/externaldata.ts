import { realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { EngineError } from '../../errors.ts';

/**
 * Refuses external data outside the model's own folder: a model file is data, and must not make the process read
 * /etc/passwd or a neighbour's weights. Links are followed; those of a Hugging Face hub cache, from
 * snapshots/<revision>/ to blobs/, are the one way out that is allowed.
 * @param locations as the model file writes them, relative to its folder
 */
export function checkExternalData(modelDir: string, locations: readonly string[]): void {
  if (locations.length === 0) return;
  const folder = realpathSync(modelDir);
  const allowed = [folder];
  if (basename(dirname(folder)) === 'snapshots') allowed.push(join(dirname(dirname(folder)), 'blobs'));
  for (const location of locations) {
    const refuse = (why: string) => {
      throw new EngineError('failed', `the model's external data ${JSON.stringify(location)} ${why}`);
    };
    if (location.includes('\0')) refuse('has a NUL in its name');
    if (isAbsolute(location)) refuse('is an absolute path; only files in the model folder are read');
    if (location.split(/[/\\]/).includes('..')) refuse('leaves the model folder; only files in it are read');
    let target: string;
    try {
      target = realpathSync(join(folder, location));
    } catch (cause) {
      throw new EngineError('failed', `the model's external data ${JSON.stringify(location)} is missing`, {
        cause,
      });
    }
    if (!allowed.some((root) => target.startsWith(root + sep))) {
      refuse('is a link that leaves the model folder; only files in it are read');
    }
  }
}
