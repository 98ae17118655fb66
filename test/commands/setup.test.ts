import { afterEach, describe, expect, it, vi } from 'vitest';
import { runSetup } from '../../src/commands/setup.ts';
import { UserError } from '../../src/errors.ts';
import { capture } from './capture.ts';

afterEach(() => vi.unstubAllEnvs());

it('refuses an environment that is none', async () => {
  vi.stubEnv('ORTBENCH_PYTHON', '/nowhere/at/all');
  await expect(runSetup(undefined, {})).rejects.toThrow(UserError);
});

describe('of one engine', () => {
  it.each([
    ['without a name', undefined, /none is named/, /npx ortbench setup \S+ --native/],
    ['with a name that is mistyped', 'lamacpp', /no engine "lamacpp"/, /did you mean llamacpp/],
    ['with a name like nothing else', 'zzz', /no engine/, /engines: .*fake/],
    ['that has no native build', 'fake', /engine fake has no native build/, /setup llamacpp --native \(/],
  ])('refuses --native %s', async (_name, engine, message, hint) => {
    await expect(runSetup(engine, { native: true })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  it('says that an engine is ready, as JSON too', async () => {
    expect(await capture(() => runSetup('fake', {}))).toEqual({ code: 0, stdout: 'ready: fake\nfake 1\n' });
    const { stdout } = await capture(() => runSetup('fake', { json: true }));
    expect(JSON.parse(stdout)).toEqual({ engine: 'fake', versions: { fake: '1' } });
  });
});
