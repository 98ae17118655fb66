import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../files/package-root.ts';

/** Absolute folder of the Python runners and their lock files; goes on PYTHONPATH. */
export const runnersDir = join(packageRoot, 'runners');

/** Packages that are one and the same wheel on every machine: each by its hash. */
export const universalLock = join(runnersDir, 'requirements-universal.lock');

/** Packages that are another artefact on every platform, or in every build: each by its version. */
export const platformLock = join(runnersDir, 'requirements.lock');

const PIN = /^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)/gm;

/** Version of every package of both lock files, by its name in lower case with dashes. */
export function pinnedVersions(): Record<string, string> {
  const pins = [universalLock, platformLock].flatMap((path) => [...readFileSync(path, 'utf8').matchAll(PIN)]);
  return Object.fromEntries(
    pins.map(([, name, version]) => [name!.toLowerCase().replaceAll('_', '-'), version!]),
  );
}

/** The universal packages as constraints: pip takes hashes for all packages that it installs, or for none. */
export function universalConstraints(): string {
  const pins = [...readFileSync(universalLock, 'utf8').matchAll(PIN)];
  return pins.map(([, name, version]) => `${name}==${version}\n`).join('');
}
