import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InfrastructureError, UserError } from '../../src/errors.ts';
import { ensurePythonEnvironment, findPythonEnvironment } from '../../src/python/environment.ts';
import { platformLock, universalConstraints, universalLock } from '../../src/python/locks.ts';
import { makeFakePython } from './fake-python.ts';

describe.skipIf(process.platform === 'win32')('the Python environment', () => {
  let root: string;
  let calls: string;
  let progress: string[];
  const ensure = () => ensurePythonEnvironment((line) => progress.push(line));
  const noted = async (word: string): Promise<number> =>
    (await readFile(calls, 'utf8')).split('\n').filter((line) => line.includes(word)).length;
  const environments = async (): Promise<string[]> =>
    (await readdir(join(root, 'cache'))).filter((name) => !name.endsWith('.lock'));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'ortbench-python-'));
    calls = join(root, 'calls');
    progress = [];
    await writeFile(calls, '');
    vi.stubEnv('ORTBENCH_CACHE', join(root, 'cache'));
    vi.stubEnv('ORTBENCH_PYTHON', '');
    vi.stubEnv('FAKE_PYTHON_CALLS', calls);
    vi.stubEnv('PATH', `${await makeFakePython(root)}:/usr/bin:/bin`);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true, force: true });
  });

  it('is made once, and found after that', async () => {
    expect(await findPythonEnvironment()).toBeNull();
    const interpreter = await ensure();
    expect(interpreter).toMatch(/\/cache\/python-[0-9a-f]{12}\/bin\/python$/);
    expect(progress).toContain('Collecting torch');
    expect(progress.some((line) => line.startsWith('WARNING'))).toBe(false);
    expect(await ensure()).toBe(interpreter);
    expect(await findPythonEnvironment()).toBe(interpreter);
    // What is the same everywhere by hash, then the rest, which may not exchange any of it.
    const constraints = join(interpreter, '../../universal-versions.txt');
    const pips = (await readFile(calls, 'utf8')).split('\n').filter((line) => line.includes('pip install'));
    expect(pips).toHaveLength(2);
    expect(pips[0]).toContain(`--require-hashes --no-deps --requirement ${universalLock}`);
    expect(pips[1]).toContain(`--requirement ${platformLock} --constraint ${constraints}`);
    expect(await readFile(constraints, 'utf8')).toBe(universalConstraints());
  });

  it('is another one for another Python', async () => {
    const first = await ensure();
    vi.stubEnv('FAKE_PYTHON_VERSION', '3.13');
    vi.stubEnv('PATH', `${await makeFakePython(join(root, 'newer'))}:/usr/bin:/bin`);
    expect(await findPythonEnvironment()).toBeNull();
    expect(await ensure()).not.toBe(first);
    expect(await environments()).toHaveLength(2);
  });

  it('is made anew when it was left half made', async () => {
    const interpreter = await ensure();
    const dir = join(interpreter, '../..');
    await rm(join(dir, 'ortbench-ready'));
    await writeFile(join(dir, 'left-over'), '');
    expect(await findPythonEnvironment()).toBeNull();
    await ensure();
    expect(await readdir(dir)).not.toContain('left-over');
    expect(await findPythonEnvironment()).toBe(interpreter);
  });

  it('is made by one of two that ask at once', async () => {
    const [one, two] = await Promise.all([ensure(), ensure()]);
    expect(one).toBe(two);
    expect(await noted('--require-hashes')).toBe(1);
  });

  it('leaves nothing that looks ready when pip fails, and says what pip said', async () => {
    vi.stubEnv('FAKE_PIP_FAILS', '1');
    const failure = await ensure().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InfrastructureError);
    expect((failure as InfrastructureError).message).toContain('No matching distribution');
    expect((failure as InfrastructureError).hint).toContain('npx ortbench setup');
    expect(await findPythonEnvironment()).toBeNull();
    vi.stubEnv('FAKE_PIP_FAILS', '');
    expect(await ensure()).toBe(await findPythonEnvironment());
  });

  it('names the package that brings venv', async () => {
    vi.stubEnv('FAKE_NO_VENV', '1');
    await expect(ensure()).rejects.toMatchObject({ name: 'UserError', hint: 'apt install python3-venv' });
  });

  it.each([
    ['2.7', /no python3 was found/],
    ['3.8', /needs Python 3\.11 or newer, and python3 is 3\.8/],
  ])('refuses Python %s', async (version, message) => {
    vi.stubEnv('FAKE_PYTHON_VERSION', version);
    await expect(ensure()).rejects.toThrow(message);
    await expect(ensure()).rejects.toBeInstanceOf(UserError);
  });

  it('says so when there is no Python at all', async () => {
    vi.stubEnv('PATH', join(root, 'empty'));
    expect(await findPythonEnvironment()).toBeNull();
    await expect(ensure()).rejects.toThrow(/no python3 was found/);
  });

  it("is the user's own where ORTBENCH_PYTHON names one, as it is", async () => {
    const own = join(root, 'own');
    await mkdir(join(own, 'bin'), { recursive: true });
    await writeFile(join(own, 'bin', 'python'), '');
    for (const named of [own, join(own, 'bin', 'python')]) {
      vi.stubEnv('ORTBENCH_PYTHON', named);
      expect(await ensure()).toBe(join(own, 'bin', 'python'));
      expect(await findPythonEnvironment()).toBe(join(own, 'bin', 'python'));
    }
    expect(await readFile(calls, 'utf8')).toBe('');
    vi.stubEnv('ORTBENCH_PYTHON', join(root, 'nowhere'));
    await expect(ensure()).rejects.toThrow(/ORTBENCH_PYTHON names no Python environment/);
  });
});
