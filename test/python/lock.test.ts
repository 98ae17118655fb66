import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPythonEnvironment } from '../../src/python/environment.ts';
import {
  pinnedVersions,
  platformLock,
  runnersDir,
  universalConstraints,
  universalLock,
} from '../../src/python/locks.ts';

const lines = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
const canonical = (name: string): string => name.trim().toLowerCase().replaceAll(/[_.]/g, '-');
const nameOf = (line: string): string => canonical(line.split(/[=;]/)[0]!);

describe('the lock files', () => {
  it('pin every package to one exact version, and those that are the same everywhere by hash', () => {
    for (const line of lines(platformLock)) {
      expect(line).toMatch(/^[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*(; .+)?$/);
    }
    for (const line of lines(universalLock)) {
      expect(line).toMatch(/^[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]* --hash=sha256:[0-9a-f]{64}$/);
    }
    const names = [universalLock, platformLock].flatMap(lines).map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(pinnedVersions()).sort()).toEqual(names.sort());
    expect(names.length).toBeGreaterThan(50);
  });

  it('hold what requirements.in asks for, at the versions that it names', () => {
    const pins = pinnedVersions();
    for (const wanted of lines(join(runnersDir, 'requirements.in'))) {
      const [name, version] = wanted.split('==');
      expect(pins[canonical(name!)], wanted).toBeDefined();
      if (version !== undefined) expect(pins[canonical(name!)]).toBe(version);
    }
  });

  it('constrain the universal packages without hashes', () => {
    const constraints = universalConstraints().trim().split('\n');
    expect(constraints).toEqual(lines(universalLock).map((line) => line.split(' ')[0]));
  });
});

const interpreter = await findPythonEnvironment();

// Of the environment that was made from them: a wheel for every platform has to be in the lock with hashes.
describe.skipIf(interpreter === null || process.platform === 'win32')('the environment', () => {
  it('has no wheel for every platform that is without a hash, and no other one with', () => {
    const lib = join(interpreter!, '../../lib');
    const packages = join(lib, readdirSync(lib).find((name) => name.startsWith('python'))!, 'site-packages');
    const installed = readdirSync(packages).filter((name) => name.endsWith('.dist-info'));
    expect(installed.length).toBeGreaterThan(50);
    const locked = { any: lines(universalLock).map(nameOf), other: lines(platformLock).map(nameOf) };
    for (const folder of installed) {
      const name = canonical(folder.split('-')[0]!);
      const isLocked = locked.any.includes(name) || locked.other.includes(name);
      // pip itself, and the libraries that a CUDA build of torch pins.
      if (!isLocked) continue;
      const tags = readFileSync(join(packages, folder, 'WHEEL'), 'utf8').match(/^Tag: .*$/gm)!;
      const isUniversal = tags.every((tag) => tag.endsWith('-none-any'));
      expect(locked.any.includes(name), `${folder}: ${tags.join()}`).toBe(isUniversal);
    }
  });
});
