import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ENGINES, type FixtureOptions } from '../fixtures.ts';
import { gatheredInputs } from '../gathered.ts';
import { describeInChromium } from './open-page.ts';

const WATCH = fileURLToPath(new URL('watch-text.js', import.meta.url));

/** Text as it lies on a chart of the page, in the canvas's own pixels. */
interface Drawn {
  readonly chart: string;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly {
    readonly text: string;
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  }[];
}

/** Boxes may touch by a pixel of anti-aliasing. */
const SLACK = 1;

function faultsOf({ chart, width, height, boxes }: Drawn): string[] {
  const outside = boxes
    .filter(
      ({ left, right, top, bottom }) =>
        left < -SLACK || top < -SLACK || right > width + SLACK || bottom > height + SLACK,
    )
    .map(({ text }) => `${chart}: ${text} is outside`);
  const pairs = boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter(
        (b) =>
          a.left < b.right - SLACK &&
          b.left < a.right - SLACK &&
          a.top < b.bottom - SLACK &&
          b.top < a.bottom - SLACK,
      )
      .map((b) => `${chart}: ${a.text} on ${b.text}`),
  );
  return [...outside, ...pairs];
}

const SHAPES: readonly (readonly [cells: number, engines: number, batches: number, prompts: number])[] = [
  [1, 1, 1, 1],
  [24, 4, 2, 3],
  [200, 4, 5, 10],
  [200, 1, 1, 200],
];

describeInChromium("text on the page's charts", ({ open: openPage }) => {
  /** Every chart of a report of two runs under a roof beside another tool's figures. */
  async function drawnOn(options: FixtureOptions, width: number): Promise<Drawn[]> {
    const context = { viewport: { width, height: 900 } };
    const page = await openPage(gatheredInputs(options), { context, before: WATCH });
    for (let more = page.locator('#more-figures'); await more.isVisible(); ) await more.click();
    // Paper wants all charts, also those that are not in view.
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    return page.evaluate<Drawn[]>('drawnText()');
  }

  test.each(SHAPES.flatMap((shape) => [400, 1280].map((width) => [...shape, width] as const)))(
    '%i cells a run (%i engines, %i batch sizes, %i prompt lengths) at %i pixels: no text on text, none outside',
    async (cells, engines, batches, prompts, width) => {
      const drawn = await drawnOn(
        {
          engines: ENGINES.slice(0, engines),
          precisions: ['int4'],
          batchSizes: Array.from({ length: batches }, (_, i) => 2 ** i),
          promptLengths: Array.from({ length: prompts }, (_, i) =>
            i % 3 === 2 ? { length: 64 * (i + 1), spread: 0.5 } : 64 * (i + 1),
          ),
          generate: 3,
          noise: 0.2,
          verdict: ({ engine }) => (engine === 'pytorch-compile' ? 'mismatch' : 'match'),
          fault: ({ engine, batchSize }) =>
            engine === 'llamacpp' && batchSize > 1 ? { status: 'failed', reason: 'scripted' } : null,
          baselines: [{ engine: ENGINES[engines - 1]!.name, precision: null }],
        },
        width,
      );
      expect(engines * batches * prompts).toBe(cells);
      expect(drawn.length).toBeGreaterThanOrEqual(4);
      for (const { chart, boxes } of drawn) expect(boxes.length, chart).toBeGreaterThan(5);
      expect(drawn.flatMap(faultsOf)).toEqual([]);
    },
    60_000,
  );
});
