import { treeWithoutPaths } from '../report/machine-paths.ts';
import { historyBody } from './body.ts';
import { trendCharts } from './charts/trend.ts';
import type { History } from './model.ts';

/** A history as one section of another page. */
export function historySection(history: History): string {
  const shown = treeWithoutPaths(history);
  return [...historyBody(shown, trendCharts(shown), 3)].join('');
}
