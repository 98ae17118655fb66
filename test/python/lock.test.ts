import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runnersDir } from '../../src/python/environment.ts';

const lines = (name: string): string[] =>
  readFileSync(join(runnersDir, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
const nameOf = (line: string): string => line.split(/[=;]/)[0]!.trim().toLowerCase().replaceAll('_', '-');

describe('requirements.lock', () => {
  it('pins every package to one exact version', () => {
    for (const line of lines('requirements.lock')) {
      expect(line).toMatch(/^[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*(; .+)?$/);
    }
  });

  it('holds what requirements.in asks for, at the versions that it names', () => {
    const locked = lines('requirements.lock');
    for (const wanted of lines('requirements.in')) {
      const line = locked.find((candidate) => nameOf(candidate) === nameOf(wanted));
      expect(line, wanted).toBeDefined();
      if (wanted.includes('==')) expect(line).toBe(wanted);
    }
  });
});
