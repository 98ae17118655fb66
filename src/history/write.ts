import * as nodeFs from 'node:fs/promises';
import { treeWithoutPaths } from '../report/machine-paths.ts';
import { type OutputFile, type PublishFs, publish } from '../report/publish.ts';
import type { History } from './model.ts';
import { historyPage } from './page.ts';

/** Of its own, so that a history and a report can share a folder. */
const INDEX_FILE = 'history-files.json';
export const PAGE_FILE = 'history.html';

/**
 * history.json, history.html and charts/*.png and *.svg. The same runs give the same bytes.
 * @returns the files written, relative to `outDir`.
 * @throws InfrastructureError when they cannot be written; an earlier history is then untouched.
 */
export async function writeHistory(
  history: History,
  outDir: string,
  fs: PublishFs = nodeFs,
): Promise<string[]> {
  return publish(outDir, outputs(treeWithoutPaths(history)), fs, INDEX_FILE);
}

/** Without the facts of each point, which are many and mostly the same: those that changed stand beside the changes. */
export const historyForJson = (history: History) => ({
  ...history,
  lines: history.lines.map((line) => ({
    ...line,
    points: line.points.map(({ facts: _, ...point }) => point),
  })),
});

async function* outputs(history: History): AsyncGenerator<OutputFile> {
  // The canvas takes longer to load than everything else of this command.
  const { trendCharts } = await import('./charts/trend.ts');
  const { scenePng } = await import('./charts/png.ts');
  const { sceneSvg } = await import('./charts/svg.ts');
  const charts = trendCharts(history);
  yield { path: 'history.json', content: `${JSON.stringify(historyForJson(history), null, 1)}\n` };
  yield { path: PAGE_FILE, content: historyPage(history, charts) };
  for (const { stem, scene } of charts) {
    yield { path: `charts/${stem}.png`, content: scenePng(scene) };
    yield { path: `charts/${stem}.svg`, content: sceneSvg(scene) };
  }
}
