import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { refusalOf } from '../../src/engines/query.ts';

it('is the last line of a program of its own, or how that ended', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ortbench-query-'));
  const ask = async (source: string, ...args: string[]) => {
    const file = join(root, 'query.mjs');
    await writeFile(file, source);
    return refusalOf(file, args, 'the engine');
  };
  expect(await ask('console.log("noise"); console.log("{}")')).toBeNull();
  expect(await ask('console.log(JSON.stringify({ refusal: null }))')).toBeNull();
  expect(await ask('console.log(JSON.stringify({ refusal: process.argv[2] }))', 'no $(device)')).toBe(
    'no $(device)',
  );
  expect(await ask('process.kill(process.pid, "SIGSEGV")')).toBe(
    'the engine ends the process that tries it: SIGSEGV',
  );
  expect(await ask('console.error("libcudart.so.12: not found"); process.exit(3)')).toMatch(/libcudart/);
  expect(await ask('console.log("no answer")')).toMatch(/the engine ends/);
  await rm(root, { recursive: true });
});
