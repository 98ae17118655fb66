// `npm run audit`: known vulnerabilities of everything that is installed, by `npm audit` and by pip-audit over both Python
// lock files. Exit code 1 when one is found that EXPLAINED does not explain. A service that does not answer is said, and is
// no failure: that nobody was asked says nothing about a package. `--json`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { interpreterIn } = await import('../dist/python/interpreter.js');
const { installerEnvironment } = await import('../dist/python/environment.js');
const { pinnedVersions } = await import('../dist/python/locks.js');

/** Why an advisory, by its identifier (GHSA-…, PYSEC-…, CVE-…), does not concern ortbench. */
const EXPLAINED = new Map([]);
const PIP_AUDIT = 'pip-audit==2.10.1';
const LIMIT_MS = 10 * 60_000;

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const root = fileURLToPath(new URL('..', import.meta.url));

/** @returns what was found, or why the service said nothing */
function npmAudit() {
  // The npm that runs this: a file for Node, as no other name of it can be started everywhere without a shell.
  const npm = process.env.npm_execpath;
  const { stdout, stderr } = npm
    ? run(process.execPath, [npm, 'audit', '--json'])
    : run('npm', ['audit', '--json']);
  const answer = parsed(stdout);
  if (answer?.metadata?.dependencies === undefined || answer.vulnerabilities === undefined) {
    return { silent: answer?.message ?? lastLine(stderr) };
  }
  const advisories = Object.values(answer.vulnerabilities).flatMap(({ name, via }) =>
    // Where it is only a name, the advisory is that of the package below.
    via.flatMap((one) =>
      typeof one === 'string'
        ? []
        : { package: name, id: one.url.split('/').at(-1), also: [], title: one.title },
    ),
  );
  return { asked: answer.metadata.dependencies.total, advisories };
}

function pipAudit() {
  const folder = mkdtempSync(join(tmpdir(), 'ortbench-audit-'));
  try {
    const venv = join(folder, 'venv');
    const made = run('python3', ['-m', 'venv', venv]);
    if (made.status !== 0) return { silent: `no Python environment for pip-audit: ${lastLine(made.stderr)}` };
    const python = interpreterIn(venv);
    const install = run(python, ['-m', 'pip', 'install', '--quiet', PIP_AUDIT]);
    if (install.status !== 0) return { silent: `${PIP_AUDIT} is not to be had: ${lastLine(install.stderr)}` };
    // Without hashes: it takes them for all packages, or for none.
    const pins = join(folder, 'pins.txt');
    const lines = Object.entries(pinnedVersions()).map(([name, version]) => `${name}==${version}\n`);
    writeFileSync(pins, lines.join(''));
    const audit = ['-m', 'pip_audit', '--requirement', pins, '--no-deps', '--disable-pip'];
    const { stdout, stderr } = run(python, [...audit, '--format', 'json', '--progress-spinner', 'off']);
    const dependencies = parsed(stdout)?.dependencies;
    if (dependencies === undefined) return { silent: lastLine(stderr) };
    const known = dependencies.filter(({ skip_reason: reason }) => reason === undefined);
    if (known.length === 0) return { silent: dependencies[0]?.skip_reason ?? 'it was given no packages' };
    return {
      asked: known.length,
      unknown: dependencies.length - known.length,
      advisories: known.flatMap(({ name, vulns }) =>
        vulns.map(({ id, aliases, description }) => ({
          package: name,
          id,
          also: aliases,
          title: description.split('\n')[0],
        })),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(file, args) {
  const env = installerEnvironment();
  const done = spawnSync(file, args, {
    cwd: root,
    encoding: 'utf8',
    env,
    maxBuffer: 2 ** 28,
    timeout: LIMIT_MS,
  });
  return done.error === undefined
    ? done
    : { status: null, stdout: '', stderr: `${file}: ${done.error.message}` };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const lastLine = (text) => text.trim().split('\n').at(-1);
const whyNot = ({ id, also }) => EXPLAINED.get([id, ...also].find((name) => EXPLAINED.has(name)));

const results = { 'npm audit': npmAudit(), 'pip-audit': pipAudit() };
const open = Object.values(results)
  .flatMap(({ advisories }) => advisories ?? [])
  .filter((advisory) => whyNot(advisory) === undefined);
if (values.json) console.log(JSON.stringify({ results, open }, null, 2));
else {
  for (const [tool, { silent, asked, unknown, advisories }] of Object.entries(results)) {
    if (silent !== undefined) {
      console.log(`${tool}: its service does not answer here, nothing was checked: ${silent}`);
      continue;
    }
    const without = unknown ? `, ${unknown} more that the service does not know` : '';
    console.log(`${tool}: ${asked} packages${without}: ${advisories.length} known vulnerabilities`);
    for (const advisory of advisories) {
      const why = whyNot(advisory);
      const verdict = why === undefined ? 'NOT EXPLAINED' : `explained: ${why}`;
      console.log(`  ${advisory.package} ${advisory.id}: ${advisory.title} (${verdict})`);
    }
  }
}
process.exitCode = open.length > 0 ? 1 : 0;
