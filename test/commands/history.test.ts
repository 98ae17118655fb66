import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { XMLValidator } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SLOWER, writeNight, writeNights } from '../history/nights.ts';
import { HOSTILE } from '../report/fixtures.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-history-'));
  writeNights(join(dir, 'nights'), SLOWER);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function history(...args: string[]) {
  const env = { ...process.env, CI: '1', NO_COLOR: '1' };
  return spawnSync(process.execPath, [cli, 'history', ...args], { cwd: dir, encoding: 'utf8', env });
}
const bytesOf = (folder: string) =>
  readdirSync(join(dir, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name)).toString('base64')]);

describe('ortbench history', () => {
  it('prints what changed with what else changed, and writes page, charts and figures', () => {
    const { status, stdout, stderr } = history('nights', '--out', 'out');
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('version library 1.30.0 → 1.31.0');
    expect(stdout).toMatch(/-[78]\.\d %/);
    expect(stdout).toContain('24 runs, 2026-01-01 02:17 to 2026-01-24 02:17 UTC; 8 lines on 1 machine.');
    expect(stdout).toContain('4 of them changed by 2 % or more');
    expect(readdirSync(join(dir, 'out')).sort()).toEqual([
      'charts',
      'history-files.json',
      'history.html',
      'history.json',
    ]);
    const charts = readdirSync(join(dir, 'out/charts'));
    expect(charts.sort()).toEqual(
      ['generation', 'prompt'].flatMap((phase) => [
        `llama-tiny-int4-cpu-${phase}-trend.png`,
        `llama-tiny-int4-cpu-${phase}-trend.svg`,
      ]),
    );
    const { lines } = JSON.parse(readFileSync(join(dir, 'out/history.json'), 'utf8'));
    expect(lines).toHaveLength(8);
    expect(lines[0].points[0]).not.toHaveProperty('facts');
    const page = readFileSync(join(dir, 'out/history.html'), 'utf8');
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(page).toContain('version library 1.30.0 → 1.31.0');
    expect(
      page
        .replace('xmlns="http://www.w3.org/2000/svg"', '')
        .replaceAll('xmlns="http://www.w3.org/2000/svg"', ''),
    ).not.toMatch(/https?:|src=|<script/);
  });

  it('gives the same bytes again, and the same figures as JSON', () => {
    const first = history('nights', '--out', 'first', '--json');
    const second = history('nights', '--out', 'second');
    expect(second.status).toBe(0);
    expect(bytesOf('second')).toEqual(bytesOf('first'));
    const { folder, files, ...told } = JSON.parse(first.stdout);
    expect({ folder, files: files.length }).toEqual({ folder: 'first', files: 7 });
    expect(told).toEqual(JSON.parse(readFileSync(join(dir, 'first/history.json'), 'utf8')));
  });

  it('shares a folder with a report without taking its files away', () => {
    writeFileSync(
      join(dir, 'out', 'report.json'),
      JSON.stringify({ format: 1, files: [{ path: 'summary.csv' }] }),
    );
    writeFileSync(join(dir, 'out', 'summary.csv'), 'a\n');
    expect(history('nights', '--out', 'out', '--least', '20').stdout).toContain(
      '0 of them changed by 20 % or more',
    );
    expect(readFileSync(join(dir, 'out', 'summary.csv'), 'utf8')).toBe('a\n');
  });

  it('shows hostile names as text', () => {
    for (const [day, name] of HOSTILE.entries()) {
      writeNight(join(dir, 'hostile', String(day)), {
        day,
        version: name,
        options: { models: [{ name, title: name }], promptLengths: [32] },
        manifest: (manifest) => ({ ...manifest, runId: name }),
      });
    }
    const { status, stderr } = history('hostile', '--out', 'hostile-out');
    expect(status, stderr).toBe(0);
    const page = readFileSync(join(dir, 'hostile-out/history.html'), 'utf8');
    expect(page).not.toMatch(/<script|javascript:[^ ]*"|onerror=/);
    const charts = readdirSync(join(dir, 'hostile-out/charts')).filter((name) => name.endsWith('.svg'));
    expect(charts).toHaveLength(2 * HOSTILE.length);
    for (const name of charts) {
      expect(XMLValidator.validate(readFileSync(join(dir, 'hostile-out/charts', name), 'utf8')), name).toBe(
        true,
      );
    }
  });

  it.each<[string[], string]>([
    [['nowhere'], 'nowhere cannot be read'],
    [['.', '--least', 'much'], '--least much: a percentage'],
    [[], "missing required argument 'results'"],
  ])('%j is exit code 2', (args, message) => {
    const { status, stderr } = history(...args);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});

it('ortbench report shows the same over time on the page of a run, and names no folder of the machine', () => {
  writeNight(join(dir, 'own'), {
    day: 30,
    records: (records) =>
      records.map((record) =>
        record.kind === 'session'
          ? { ...record, effective: { ...record.effective, library: '/home/ann/lib/liborb.so' } }
          : record,
      ),
  });
  const env = { ...process.env, CI: '1', NO_COLOR: '1' };
  const report = (...args: string[]) =>
    spawnSync(process.execPath, [cli, 'report', 'own', ...args], { cwd: dir, encoding: 'utf8', env });
  const args = ['--formats', 'html', '--history', join(dir, 'nights'), '--history', 'own', '--out', 'page'];
  expect(report(...args)).toMatchObject({ status: 0, stderr: '' });
  const page = readFileSync(join(dir, 'page/report.html'), 'utf8');
  expect(page).toContain('<a href="#history">Over time</a>');
  const section = page.slice(page.indexOf('<section id="history"'));
  expect(section).toContain('25 runs, 2026-01-01 02:17 to 2026-01-31 02:17 UTC');
  expect(section).toMatch(/<strong class="slower">↓ -[78]\.\d %<\/strong>/);
  expect(section.match(/<svg /g)).toHaveLength(2);
  expect(page).toContain('…/liborb.so');
  expect(page).not.toContain('/home/ann');
  expect(page).not.toContain(dir);

  expect(report('--formats', 'html', '--out', 'plain').status).toBe(0);
  expect(readFileSync(join(dir, 'plain/report.html'), 'utf8')).not.toContain('id="history"');
  const none = report('--history', 'nowhere');
  expect(none.status).toBe(2);
  expect(none.stderr).toContain('nowhere');
});
