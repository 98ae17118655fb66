import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scenePng } from '../../src/history/charts/png.ts';
import type { Shape } from '../../src/history/charts/scene.ts';
import { type TrendChart, trendCharts } from '../../src/history/charts/trend.ts';
import { readHistory } from '../../src/history/history.ts';
import type { History } from '../../src/history/model.ts';
import { historyPage } from '../../src/history/page.ts';
import { historyTable } from '../../src/history/table.ts';
import { historyForJson } from '../../src/history/write.ts';
import { SLOWER, writeNights } from './nights.ts';

let dir: string;
let history: History;
let charts: TrendChart[];
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-history-'));
  writeNights(
    join(dir, 'a'),
    SLOWER.map((night) => ({
      ...night,
      options: {
        fault: ({ engine }) =>
          night.day === 5 && engine === 'steady' ? { status: 'oom', reason: 'too <large>' } : null,
      },
    })),
  );
  const elsewhere = SLOWER.slice(0, 3).map((night) => ({
    ...night,
    day: night.day + 100,
    manifest: (manifest: Parameters<NonNullable<(typeof SLOWER)[number]['manifest']>>[0]) => ({
      ...manifest,
      environment: { ...manifest.environment, cpuModel: 'Another' },
    }),
  }));
  writeNights(join(dir, 'b'), elsewhere);
  history = await readHistory([dir]);
  charts = trendCharts(history);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const of = <K extends Shape['kind']>({ scene }: TrendChart, kind: K) =>
  scene.shapes.filter((shape): shape is Extract<Shape, { kind: K }> => shape.kind === kind);
const chartOf = (machine: string) =>
  charts.find((chart) => chart.machine === machine && chart.stem.includes('generation'))!;

it('draws machines apart, each with files of its own', () => {
  const [newest, older] = history.machines.map(({ id }) => id) as [string, string];
  expect(charts.map(({ machine }) => machine)).toEqual([newest, newest, older, older]);
  expect(new Set(charts.map(({ stem }) => stem)).size).toBe(4);
  for (const { stem, machine } of charts) expect(stem).toContain(machine);
  // Two more are the key.
  expect(of(chartOf(newest), 'dot')).toHaveLength(2 * 2 * 3 + 2);
});

it('draws a dot for each figure, a cross with its reason for each gap, and a mark for each change', () => {
  const chart = chartOf(history.machines[1]!.id);
  // Two panels of two engines over 24 nights, two of which have no figure; and the key.
  expect(of(chart, 'dot')).toHaveLength(2 * 2 * 24 - 2 + 2);
  // Colours alone do not tell engines apart in grey.
  const forms = new Map(of(chart, 'dot').map(({ title, form }) => [title.split(':')[0], form]));
  expect([...forms]).toEqual([
    ['steady', 'circle'],
    ['new', 'square'],
  ]);
  expect(of(chart, 'cross').map(({ title }) => title)).toEqual([
    expect.stringContaining('oom: too <large>, night-005'),
    expect.stringContaining('oom: too <large>, night-005'),
  ]);
  const marks = of(chart, 'text').filter(({ text }) => text.startsWith('↓'));
  expect(marks).toHaveLength(2);
  for (const { text } of marks) expect(text).toMatch(/^↓ -[78]\.\d %$/);
});

it('stamps page, table, charts and JSON where nights were made without the parity check', async () => {
  expect(JSON.stringify([charts.map(({ scene }) => scene), historyTable(history)])).not.toContain(
    'not checked',
  );
  const nights = join(dir, 'unchecked');
  writeNights(nights, [{ day: 0 }, { day: 1, options: { parity: false } }, { day: 2 }]);
  const partly = await readHistory([nights]);
  rmSync(nights, { recursive: true });
  const stamp = 'Parity was not checked in 1 of 3 runs';
  const drawn = trendCharts(partly);
  for (const chart of drawn) {
    const words = of(chart, 'text').map(({ text }) => text);
    expect(words.join(' ')).toContain(stamp);
  }
  const page = [...historyPage(partly, drawn)].join('');
  expect(page).toContain(`<p>${stamp}`);
  expect(page).toContain('night-001<br><small>parity not checked</small>');
  expect(page.match(/<small>parity not checked/g)).toHaveLength(1);
  expect(historyTable(partly)).toContain(stamp);
  expect(historyForJson(partly).runs.map(({ parity }) => parity)).toEqual([true, false, true]);
});

it('keeps everything inside the picture', () => {
  for (const { scene } of charts) {
    for (const shape of scene.shapes) {
      const points = shape.kind === 'path' ? shape.points : [[shape.x, shape.y] as const];
      for (const [x, y] of points) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(scene.width);
        expect(y).toBeGreaterThan(0);
        expect(y).toBeLessThan(scene.height);
      }
    }
  }
});

it('is a PNG of twice the size, the same each time', () => {
  const { scene } = charts[0]!;
  const bytes = scenePng(scene);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  expect(bytes.readUInt32BE(16)).toBe(2 * scene.width);
  expect(bytes.readUInt32BE(20)).toBe(2 * scene.height);
  expect(scenePng(scene).equals(bytes)).toBe(true);
});

it('page and table name the machine where there are several, and lines too short for a change', () => {
  const page = [...historyPage(history, charts)].join('');
  for (const { id } of history.machines) expect(page).toContain(`<h2 id="machine-${id}">`);
  expect(page).toContain('<th>machine</th>');
  expect(page).toContain('too &lt;large&gt;');
  const table = historyTable(history);
  expect(table).toContain(`machine ${history.machines[0]!.id}: `);
  expect(table).toContain('8 lines with fewer than 10 runs');
});
