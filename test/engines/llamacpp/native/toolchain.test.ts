import { describe, expect, it } from 'vitest';
import {
  cCompilerFor,
  findToolchain,
  parseCompiler,
} from '../../../../src/engines/llamacpp/native/toolchain.ts';

const FSF = 'Copyright (C) 2022 Free Software Foundation, Inc.';
const gcc = (version: string, packager = 'Debian 12.2.0-14+deb12u1') =>
  `g++ (${packager}) ${version}\n${FSF}\n`;
const CMAKE = 'cmake version 3.25.1\n';
const AGAIN = 'npx ortbench setup llamacpp --native';

/** A machine where these programs print this for --version. */
const machine = (programs: Record<string, string>) => async (program: string) => programs[program] ?? null;
const find = (programs: Record<string, string>, env = {}) => findToolchain(AGAIN, machine(programs), env);

describe('parseCompiler', () => {
  it.each([
    [gcc('12.2.0'), { kind: 'GCC', version: '12.2.0' }],
    [gcc('13.2.1 20230801', 'GCC'), { kind: 'GCC', version: '13.2.1' }],
    [`g++-12 (Ubuntu 12.3.0-1ubuntu1~22.04) 12.3.0\n${FSF}`, { kind: 'GCC', version: '12.3.0' }],
    ['Debian clang version 14.0.6\nTarget: x86_64', { kind: 'Clang', version: '14.0.6' }],
    ['Apple clang version 15.0.0 (clang-1500.3.9.4)', { kind: 'Clang', version: '15.0.0' }],
    ['Intel(R) oneAPI DPC++ (icx) 2024', null],
    ['icpc (ICC) 2021.7.0 20220726\nCopyright Intel', null],
    ['', null],
  ])('%j → %j', (text, expected) => expect(parseCompiler(text)).toEqual(expected));
});

it.each([
  ['g++', 'gcc'],
  ['g++-12', 'gcc-12'],
  ['x86_64-linux-gnu-g++-13', 'x86_64-linux-gnu-gcc-13'],
  ['clang++', 'clang'],
  ['clang++-18', 'clang-18'],
  ['c++', 'cc'],
  ['/opt/gcc/bin/g++', '/opt/gcc/bin/gcc'],
  ['./g++', './gcc'],
])('the C compiler of %s is %s', (cxx, c) => expect(cCompilerFor(cxx)).toBe(c));

describe.skipIf(process.platform === 'win32')('findToolchain', () => {
  it('takes what the system has, and Ninja where it is', async () => {
    const programs = { cmake: CMAKE, 'g++': gcc('12.2.0'), gcc: gcc('12.2.0'), make: 'GNU Make 4.3' };
    const found = {
      cmakeVersion: '3.25.1',
      c: 'gcc',
      cxx: 'g++',
      compiler: { kind: 'GCC', version: '12.2.0' },
    };
    expect(await find(programs)).toEqual({ ...found, generator: 'Unix Makefiles' });
    expect(await find({ ...programs, ninja: '1.11.1' })).toEqual({ ...found, generator: 'Ninja' });
  });

  it('looks past an old compiler for a newer one beside it, then for Clang', async () => {
    const old = { cmake: CMAKE, ninja: '1', 'g++': gcc('10.2.1'), gcc: gcc('10.2.1') };
    expect(await find({ ...old, 'g++-12': gcc('12.1.0'), 'gcc-12': gcc('12.1.0') })).toMatchObject({
      cxx: 'g++-12',
      c: 'gcc-12',
    });
    const clang = 'clang version 16.0.0';
    expect(await find({ ...old, 'clang++': clang, clang })).toMatchObject({ cxx: 'clang++', c: 'clang' });
  });

  it('obeys CXX and CC', async () => {
    const programs = { cmake: CMAKE, ninja: '1', 'g++': gcc('12.2.0'), gcc: gcc('12.2.0') };
    const mine = { ...programs, '/opt/g++': gcc('14.1.0'), '/opt/gcc': gcc('14.1.0'), mycc: gcc('14.1.0') };
    expect(await find(mine, { CXX: '/opt/g++' })).toMatchObject({ cxx: '/opt/g++', c: '/opt/gcc' });
    expect(await find(mine, { CXX: '/opt/g++', CC: 'mycc' })).toMatchObject({ c: 'mycc' });
    await expect(find(programs, { CXX: '/nowhere' })).rejects.toThrow(
      /CXX names \/nowhere.*cannot be started/,
    );
    await expect(find({ ...programs, icpc: 'icpc (ICC) 2021' }, { CXX: 'icpc' })).rejects.toThrow(
      /neither GCC nor Clang/,
    );
    await expect(find(programs, { CXX: 'g++', CC: 'nocc' })).rejects.toThrow(/C compiler nocc/);
  });

  it.runIf(process.platform === 'linux').each([
    [
      'nothing at all',
      {},
      /CMake is not installed; there is no C\+\+ compiler/,
      /sudo apt-get install cmake g\+\+ ninja-build;.*then: npx ortbench setup llamacpp --native/,
    ],
    [
      'an old compiler',
      { cmake: CMAKE, ninja: '1', 'g++': gcc('11.4.0'), gcc: gcc('11.4.0') },
      /g\+\+ is GCC 11\.4\.0, whose float kernels are slow: GCC 12 or Clang is needed/,
      /sudo apt-get install g\+\+-12;/,
    ],
    [
      'an old CMake',
      { cmake: 'cmake version 3.13.4', ninja: '1', 'g++': gcc('12.2.0'), gcc: gcc('12.2.0') },
      /CMake 3\.13\.4 is too old/,
      /sudo apt-get install cmake;/,
    ],
    [
      'neither Ninja nor Make',
      { cmake: CMAKE, 'g++': gcc('12.2.0'), gcc: gcc('12.2.0') },
      /neither Ninja nor Make/,
      /sudo apt-get install ninja-build;/,
    ],
  ])('refuses %s with the command that mends it', async (_name, programs, message, hint) => {
    await expect(find(programs)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });
});
