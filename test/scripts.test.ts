import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (...args: string[]) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...process.env, CI: '1' } });

describe('npm run fuzz', () => {
  it('gives every reader the inputs of a seed, the same ones each time', () => {
    const args = ['scripts/fuzz.mjs', '--inputs', '300', '--seconds', '120', '--seed', '7', '--json'];
    const [first, second] = [run(...args), run(...args)];
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toBe(second.stdout);
    const { counts } = JSON.parse(first.stdout) as {
      counts: Record<string, { inputs: number; accepted: number }>;
    };
    expect(Object.keys(counts)).toHaveLength(7);
    for (const { inputs } of Object.values(counts)) expect(inputs).toBeGreaterThan(20);
    for (const { inputs, accepted } of Object.values(counts)) expect(accepted).toBeLessThan(inputs);
  });

  it('prints how to repeat a failure: here of a reader that wrote to what every object inherits', () => {
    const planted =
      "setTimeout(() => Object.defineProperty(Object.prototype, 'polluted', { value: true }), 1500).unref();";
    const hook = `data:text/javascript,${encodeURIComponent(planted)}`;
    const { status, stderr } = run('--import', hook, 'scripts/fuzz.mjs', '--seconds', '60', '--seed', '1');
    expect(status).toBe(1);
    expect(stderr).toContain('it wrote to Object.prototype');
    expect(stderr).toMatch(/repeat it with: npm run fuzz -- --seed \d+ --inputs 1$/m);
  });
});

describe.skipIf(process.platform !== 'linux')('npm run soak', () => {
  const soak = (hooks: string[] = [], options: string[] = []) =>
    run(
      '--expose-gc',
      ...hooks,
      'scripts/soak.mjs',
      ...options,
      '--minutes',
      '0.2',
      '--engines',
      'fake',
      '--no-parity',
      '--json',
    );

  it('finds nothing that grows in sweeps of the fake engine', () => {
    const { status, stdout, stderr } = soak();
    const { rounds, inProcess, problems } = JSON.parse(stdout) as {
      rounds: number;
      inProcess: string[];
      problems: string[];
    };
    expect(problems, stderr).toEqual([]);
    expect(status).toBe(0);
    expect(rounds).toBeGreaterThanOrEqual(8);
    expect(inProcess).toEqual(['fake']);
  }, 600_000);

  it('names what the heap grew by', () => {
    const leak =
      'class Kept {} globalThis.kept = []; setInterval(() => { for (let i = 0; i < 100; i++) kept.push(new Kept()); }, 20).unref();';
    const { stdout } = soak(['--import', `data:text/javascript,${encodeURIComponent(leak)}`], ['--heap']);
    const { rounds, heap } = JSON.parse(stdout) as {
      rounds: number;
      heap: { rounds: number; nodes: number; more: { kind: string; nodes: number }[] };
    };
    expect(heap.rounds).toBe(rounds - 2);
    expect(heap.nodes).toBeGreaterThan(10_000);
    expect(heap.more.find(({ kind }) => kind === 'object Kept')?.nodes).toBeGreaterThan(5000);
  }, 600_000);

  it('finds an engine that leaks where it shares the process', () => {
    const decoder = pathToFileURL(join(root, 'dist/engines/fake/decoder.js')).href;
    const leak = `import { FakeDecoder } from '${decoder}'; const kept = []; const { begin } = FakeDecoder.prototype;
      FakeDecoder.prototype.begin = function (prompts) { kept.push(Buffer.alloc(1e6, 1)); begin.call(this, prompts); };`;
    const { status, stdout } = soak(['--import', `data:text/javascript,${encodeURIComponent(leak)}`]);
    const { problems } = JSON.parse(stdout) as { problems: string[] };
    expect(status).toBe(1);
    // Runners are started without the hook: only what ran in the harness itself can have kept anything.
    expect(problems.join()).toMatch(/^memoryMiB of the harness grew by [^,]*$/);
  }, 600_000);

  it('finds memory and files that are kept', () => {
    const leak =
      "import { openSync } from 'node:fs'; globalThis.kept = []; setInterval(() => { kept.push(Buffer.alloc(4e6, 1)); kept.push(openSync('/dev/null')); }, 100).unref();";
    const { status, stdout } = soak(['--import', `data:text/javascript,${encodeURIComponent(leak)}`]);
    const { problems } = JSON.parse(stdout) as { problems: string[] };
    expect(status).toBe(1);
    expect(problems.join()).toMatch(/memoryMiB of the harness grew/);
    expect(problems.join()).toMatch(/files of the harness grew/);
  }, 600_000);
});

describe('every script', () => {
  const scripts = readdirSync(join(root, 'scripts'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.mjs'),
  );

  it.each(scripts)('%s takes from the compiled code what is there', async (name) => {
    const file = join(root, 'scripts', name);
    const imports = readFileSync(file, 'utf8').matchAll(
      /const \{([^}]*)\} =\s*await import\('([^']*\/dist\/[^']*)'\)/g,
    );
    for (const [, names, path] of imports) {
      const module = await import(pathToFileURL(join(dirname(file), path!)).href);
      for (const wanted of names!.split(',').map((text) => text.split(':')[0]!.trim()))
        if (wanted !== '') expect(module, `${name}: ${wanted} of ${path}`).toHaveProperty(wanted);
    }
  });
});

describe('pages whose figures are made by commands', () => {
  const page = (...sections: string[]) =>
    `# Page\n\n## Kept\n\n<!-- figures -->\n\n${sections.join('\n\n')}\n\n<!-- /figures -->\n\nend\n`;
  const sections = async () =>
    (await import(pathToFileURL(join(root, 'scripts/sections.mjs')).href)) as {
      writeSections(page: string, name: string, texts: string[], keyOf?: (heading: string) => string): void;
    };
  let file: string;
  beforeEach(() => {
    file = join(mkdtempSync(join(tmpdir(), 'ortbench-sections-')), 'page.md');
    return () => rmSync(dirname(file), { recursive: true });
  });

  it('keep the sections of what was not run, in order, and take the new ones', async () => {
    const { writeSections } = await sections();
    writeFileSync(file, page('## B, 1 of 9 layers\n\nold $1', '## C\n\n### inner\n\nkept'));
    const withoutDepth = (heading: string) => heading.replace(/, .*/, '');
    writeSections(file, 'figures', ['## D\n\nnew', '## B, 4 of 9 layers\n\nnew $& $1\n'], withoutDepth);
    const expected = page('## B, 4 of 9 layers\n\nnew $& $1', '## C\n\n### inner\n\nkept', '## D\n\nnew');
    expect(readFileSync(file, 'utf8')).toBe(expected);
  });

  it('are refused without the marks', async () => {
    const { writeSections } = await sections();
    writeFileSync(file, page('## A'));
    expect(() => writeSections(file, 'measured', [])).toThrow('has no <!-- measured -->');
    expect(readFileSync(file, 'utf8')).toBe(page('## A'));
  });
});
