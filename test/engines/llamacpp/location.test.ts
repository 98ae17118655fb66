import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { locateLibrary, pickLibrary, type Resolve } from '../../../src/engines/llamacpp/location.ts';
import type { NativeBuild } from '../../../src/engines/llamacpp/native/find.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'ortbench-llamacpp-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function touch(...files: string[]): void {
  for (const file of files) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), '');
  }
}

const around = (resolve: Resolve, platform = 'linux-x64', native: NativeBuild | null = null) => ({
  platform,
  resolve,
  native: () => native,
});

describe('pickLibrary', () => {
  it.each([
    [['libllama-common.so', 'libllama.v0.5.0.so', 'llama-addon.node'], 'libllama.v0.5.0.so'],
    [['libllama.so.0.5.0', 'libllama.so', 'libllama.so.0'], 'libllama.so'],
    [['libllama.0.dylib', 'libmtmd.dylib'], 'libllama.0.dylib'],
    [['llama.dll', 'llama.lib'], 'llama.dll'],
    [['libllama.a', 'libllama.so.bak', 'xlibllama.so'], undefined],
  ])('%j → %s', (files, expected) => {
    expect(pickLibrary(files, 'llama')).toBe(expected);
  });

  it('does not take ggml-base or a CPU variant for ggml', () => {
    expect(pickLibrary(['libggml-base.so', 'libggml-cpu-zen4.so', 'libggml.v0.5.0.so'], 'ggml')).toBe(
      'libggml.v0.5.0.so',
    );
  });
});

describe("the user's folder", () => {
  it('wins over the prebuilt package and brings libggml along', () => {
    touch('libllama.so', 'libggml.so', 'libggml-base.so');
    const location = locateLibrary({ libraryDir: root });
    expect(location).toMatchObject({ found: { origin: 'user', libllama: path.join(root, 'libllama.so') } });
    if ('found' in location)
      expect(location.found.others.map((file) => path.basename(file))).toEqual([
        'libggml.so',
        'libggml-base.so',
      ]);
  });

  it('is refused when it is absent, a file, or without libllama, with what to do', () => {
    touch('a-file', 'folder/libggml.so');
    for (const [dir, reason] of [
      [path.join(root, 'nowhere'), /ENOENT/],
      [path.join(root, 'a-file'), /ENOTDIR/],
      [path.join(root, 'folder'), /no libllama/],
    ] as const) {
      const location = locateLibrary({ libraryDir: dir });
      if (!('missing' in location)) return expect.unreachable();
      expect(location.missing.reason).toMatch(reason);
      expect(location.missing.mend).toMatch(/libraryDir/);
    }
  });
});

describe('the prebuilt package', () => {
  const entry = () => path.join(root, 'dist/index.js');

  it('is found with its versions', () => {
    touch('bins/linux-x64/libllama.v0.5.0.so');
    writeFileSync(path.join(root, 'package.json'), JSON.stringify({ version: '9.9.9' }));
    writeFileSync(
      path.join(root, 'bins/linux-x64/_nlcBuildMetadata.json'),
      JSON.stringify({
        buildOptions: { platformInfo: { name: 'Ubuntu', version: '22.04' }, llamaCpp: { release: 'v0.5.0' } },
      }),
    );
    expect(locateLibrary({}, around(entry))).toMatchObject({
      found: {
        origin: 'prebuilt',
        versions: { '@node-llama-cpp/linux-x64': '9.9.9', 'llama.cpp release': 'v0.5.0' },
        description: 'prebuilt on Ubuntu 22.04',
      },
    });
  });

  it('is found without its metadata', () => {
    touch('bins/linux-x64/libllama.so');
    writeFileSync(path.join(root, 'bins/linux-x64/_nlcBuildMetadata.json'), '{ torn');
    expect(locateLibrary({}, around(entry))).toMatchObject({
      found: { versions: {}, description: 'prebuilt' },
    });
  });

  it('that is not installed is named with the command that installs it', () => {
    const location = locateLibrary(
      {},
      around(() => {
        throw new Error('Cannot find module');
      }),
    );
    expect(location).toEqual({
      missing: {
        reason: 'the optional package @node-llama-cpp/linux-x64 is not installed',
        mend: 'npm install @node-llama-cpp/linux-x64@3.22.1',
      },
    });
  });

  it('without libraries is as good as missing', () => {
    expect(locateLibrary({}, around(entry))).toMatchObject({
      missing: { mend: expect.stringContaining('npm install') },
    });
    touch('bins/linux-x64/libggml.so');
    expect(locateLibrary({}, around(entry))).toMatchObject({
      missing: { mend: expect.stringContaining('npm install') },
    });
  });

  it('does not exist for every platform, and another way is named', () => {
    const location = locateLibrary({}, around(entry, 'sunos-sparc'));
    expect(location).toMatchObject({
      missing: {
        reason: expect.stringContaining('sunos-sparc'),
        mend: expect.stringContaining('libraryDir'),
      },
    });
  });
});

describe('the native build', () => {
  const manifest = {
    package: 'a-package',
    version: '1.2.3',
    sha256: '',
    compiler: 'GCC 13.1.0',
    cmake: '3.25.1',
    settings: [],
    processor: '',
    llamaCpp: '0.5.0',
    builtAt: '2026-01-01T00:00:00.000Z',
  };
  const native = (): NativeBuild => ({ dir: root, binDir: path.join(root, 'bin'), manifest });
  const prebuilt = () => path.join(root, 'npm/dist/index.js');
  const both = () => around(prebuilt, 'linux-x64', native());
  beforeEach(() => touch('bin/libllama.so.0', 'bin/libggml.so', 'npm/bins/linux-x64/libllama.so'));

  it('is the default where there is one, and says what it is', () => {
    const expected = {
      found: {
        origin: 'native',
        compiler: 'GCC 13.1.0',
        libllama: path.join(root, 'bin/libllama.so.0'),
        description: 'native (built on this machine from a-package 1.2.3)',
        versions: { 'a-package': '1.2.3', 'llama.cpp release': '0.5.0' },
      },
    };
    expect(locateLibrary({}, both())).toMatchObject(expected);
    expect(locateLibrary({ library: 'auto' }, both())).toMatchObject(expected);
    expect(locateLibrary({ library: 'native' }, both())).toMatchObject(expected);
  });

  it('gives way to the prebuilt package and to a folder where these are asked for', () => {
    expect(locateLibrary({ library: 'prebuilt' }, both())).toMatchObject({ found: { origin: 'prebuilt' } });
    expect(locateLibrary({ libraryDir: path.join(root, 'bin') }, both())).toMatchObject({
      found: { origin: 'user' },
    });
  });

  it('that is asked for and absent is named with the command that makes it', () => {
    const without = around(prebuilt);
    expect(locateLibrary({ library: 'native' }, without)).toMatchObject({
      missing: { mend: 'npx ortbench setup llamacpp --native' },
    });
    expect(locateLibrary({ library: 'auto' }, without)).toMatchObject({ found: { origin: 'prebuilt' } });
  });

  it('that has lost its library is never silently replaced by the slower one', () => {
    rmSync(path.join(root, 'bin'), { recursive: true });
    expect(locateLibrary({}, both())).toMatchObject({
      missing: { reason: expect.stringContaining(root), mend: expect.stringContaining('--native') },
    });
  });
});
