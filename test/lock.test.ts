import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly hasInstallScript?: boolean;
}
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const installed = Object.entries(packages).filter(([path]) => path !== '');

test('every package is pinned by a hash, except those of other platforms that were not at hand', () => {
  expect(installed.length).toBeGreaterThan(100);
  for (const [path, { integrity, optional, os, cpu }] of installed) {
    if (integrity === undefined) {
      expect(optional, path).toBe(true);
      expect(os ?? cpu, path).toBeDefined();
    } else expect(integrity, path).toMatch(/^sha512-/);
  }
});

test('no address of a registry is in the lock file: each takes its own', () => {
  for (const [path, { resolved }] of installed) expect(resolved, path).toBeUndefined();
});

test('install scripts are off, and no package is known to need one that others have not', () => {
  expect(readFileSync(join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
  const withScripts = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  // Both bring their libraries along: test/engines opens them on what `npm ci` leaves without scripts.
  expect(withScripts.sort()).toEqual(['node_modules/koffi', 'node_modules/onnxruntime-node']);
});
