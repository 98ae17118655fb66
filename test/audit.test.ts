import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pinnedVersions } from '../src/python/locks.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let dir: string;

/** An npm and a Python that answer what the environment says; the Python makes environments of itself. */
const NPM = 'process.stdout.write(process.env.NPM_ANSWER); process.exitCode = 1;';
const PYTHON = `#!${process.execPath}
const fs = require('node:fs');
const [, what, ...rest] = process.argv.slice(2);
if (what === 'venv') {
  fs.mkdirSync(rest[0] + '/bin', { recursive: true });
  fs.copyFileSync(process.argv[1], rest[0] + '/bin/python');
} else if (what === 'pip_audit') {
  fs.copyFileSync(rest[rest.indexOf('--requirement') + 1], process.env.PINS);
  process.stdout.write(process.env.PIP_AUDIT_ANSWER);
  process.exitCode = 1;
}
`;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-audit-test-'));
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'npm.cjs'), NPM);
  writeFileSync(join(dir, 'bin/python3'), PYTHON);
  chmodSync(join(dir, 'bin/python3'), 0o755);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function audit(npm: unknown, pipAudit: unknown) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/audit.mjs'], {
    cwd: root,
    encoding: 'utf8',
    env: {
      PATH: join(dir, 'bin'),
      npm_execpath: join(dir, 'npm.cjs'),
      NPM_ANSWER: typeof npm === 'string' ? npm : JSON.stringify(npm),
      PIP_AUDIT_ANSWER: typeof pipAudit === 'string' ? pipAudit : JSON.stringify(pipAudit),
      PINS: join(dir, 'pins.txt'),
    },
  });
  expect(stderr).toBe('');
  return { status, lines: stdout.trim().split('\n') };
}

const clean = {
  npm: { vulnerabilities: {}, metadata: { dependencies: { total: 300 } } },
  pip: { dependencies: [{ name: 'numpy', version: '2.4.6', vulns: [] }] },
};

describe.skipIf(process.platform === 'win32')('npm run audit', () => {
  it('says what was asked and that nothing is known', () => {
    const { status, lines } = audit(clean.npm, clean.pip);
    expect(lines).toEqual([
      'npm audit: 300 packages: 0 known vulnerabilities',
      'pip-audit: 1 packages: 0 known vulnerabilities',
    ]);
    expect(status).toBe(0);
  });

  it('fails for what nobody explained, and names it', () => {
    const via = [
      'below',
      { url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc', title: 'Runs what it reads' },
    ];
    const npm = { ...clean.npm, vulnerabilities: { yaml: { name: 'yaml', via } } };
    const vuln = { id: 'PYSEC-2026-1', aliases: ['CVE-2026-1'], description: 'Reads too far.\nMore.' };
    const pip = {
      dependencies: [
        { name: 'onnx', version: '1', vulns: [vuln] },
        { name: 'private', skip_reason: 'not found' },
      ],
    };
    const { status, lines } = audit(npm, pip);
    expect(status).toBe(1);
    expect(lines).toEqual([
      'npm audit: 300 packages: 1 known vulnerabilities',
      '  yaml GHSA-aaaa-bbbb-cccc: Runs what it reads (NOT EXPLAINED)',
      'pip-audit: 1 packages, 1 more that the service does not know: 1 known vulnerabilities',
      '  onnx PYSEC-2026-1: Reads too far. (NOT EXPLAINED)',
    ]);
  });

  it('asks for every locked Python package', () => {
    audit(clean.npm, clean.pip);
    const pins = readFileSync(join(dir, 'pins.txt'), 'utf8').trim().split('\n');
    expect(pins).toEqual(Object.entries(pinnedVersions()).map(([name, version]) => `${name}==${version}`));
  });

  it.each([
    [
      { message: '405 Method Not Allowed', statusCode: 405 },
      { dependencies: [{ name: 'a', skip_reason: 'not on PyPI' }] },
    ],
    ['', 'Traceback: no such host'],
  ])('does not fail where nobody answers, and says that nothing was checked', (npm, pip) => {
    const { status, lines } = audit(npm, pip);
    expect(status).toBe(0);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toContain('does not answer here, nothing was checked');
  });
});
