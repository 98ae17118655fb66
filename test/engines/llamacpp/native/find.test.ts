import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findNativeBuild, nativeToolsDir } from '../../../../src/engines/llamacpp/native/find.ts';
import {
  buildFolderName,
  describeProcessor,
  thisProcessor,
} from '../../../../src/engines/llamacpp/native/identity.ts';
import { SOURCE } from '../../../../src/engines/llamacpp/native/source.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(path.join(tmpdir(), 'ortbench-native-'));
  vi.stubEnv('ORTBENCH_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

function store(name: string, changes: Record<string, unknown> = {}): string {
  const dir = path.join(cache, `llamacpp-native-${name}`);
  mkdirSync(dir);
  const manifest = {
    package: SOURCE.package,
    version: SOURCE.version,
    sha256: SOURCE.sha256,
    compiler: 'GCC 12.2.0',
    cmake: '3.25.1',
    settings: [],
    processor: 'mine',
    llamaCpp: '0.5.0',
    builtAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
  writeFileSync(path.join(dir, 'build.json'), JSON.stringify(manifest));
  return dir;
}

describe('findNativeBuild', () => {
  it('finds none in an empty cache, nor where there is no cache yet', () => {
    expect(findNativeBuild('mine')).toBeNull();
    vi.stubEnv('ORTBENCH_CACHE', path.join(cache, 'nowhere'));
    expect(findNativeBuild('mine')).toBeNull();
  });

  it('takes the newest that was made for this processor from this source', () => {
    store('older');
    const newest = store('newer', { builtAt: '2026-03-01T00:00:00.000Z' });
    store('another-processor', { processor: 'other', builtAt: '2026-09-01T00:00:00.000Z' });
    store('another-source', { sha256: 'f00', builtAt: '2026-09-01T00:00:00.000Z' });
    store('another-format', { builtAt: 'yesterday' });
    mkdirSync(path.join(cache, 'llamacpp-native-half.work'));
    expect(findNativeBuild('mine')).toMatchObject({ dir: newest, binDir: path.join(newest, 'bin') });
    expect(findNativeBuild('neither')).toBeNull();
  });

  it('passes over a torn manifest', () => {
    const dir = store('torn');
    writeFileSync(path.join(dir, 'build.json'), '{"package": ');
    expect(findNativeBuild('mine')).toBeNull();
  });

  it('tells where the tools lie', () => {
    expect(nativeToolsDir()).toBeNull();
    const dir = store('here', { processor: thisProcessor() });
    expect(nativeToolsDir()).toBe(path.join(dir, 'bin'));
  });
});

describe('identity', () => {
  const cpuInfo = (flags: string) => `processor\t: 0\nmodel name\t: X\nflags\t\t: ${flags}\n`;

  it('is that of the instruction sets, whatever their order and whatever else a kernel lists', () => {
    const one = describeProcessor('CPU X', cpuInfo('fpu sse4_2 avx2 fma'));
    expect(describeProcessor('CPU X ', cpuInfo('fma avx2 sse4_2 smep retpoline'))).toBe(one);
    expect(describeProcessor('CPU X', cpuInfo('sse4_2 avx2 fma avx512f'))).not.toBe(one);
    expect(describeProcessor('CPU Y', cpuInfo('sse4_2 avx2 fma'))).not.toBe(one);
    expect(describeProcessor('Apple M2', '')).toMatch(/Apple M2$/);
  });

  it('gives every source, compiler, setting and processor a folder of its own', () => {
    const parts = { sourceSha256: 'a', compiler: 'GCC 12', settings: ['-Da'], processor: 'p' };
    const names = [
      parts,
      { ...parts, sourceSha256: 'b' },
      { ...parts, compiler: 'GCC 13' },
      { ...parts, settings: ['-Db'] },
      { ...parts, processor: 'q' },
    ].map(buildFolderName);
    expect(new Set(names).size).toBe(names.length);
    expect(buildFolderName(parts)).toBe(names[0]);
    expect(names[0]).toMatch(/^llamacpp-native-[0-9a-f]{12}$/);
  });
});
