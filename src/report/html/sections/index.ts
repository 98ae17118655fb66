import { averages } from './averages.ts';
import { charts } from './charts.ts';
import { downloads } from './downloads.ts';
import { environment } from './environment.ts';
import { flags } from './flags.ts';
import { history } from './history.ts';
import { imported } from './imported.ts';
import { missing } from './missing.ts';
import { parity } from './parity.ts';
import { published } from './published.ts';
import { results } from './results.ts';
import type { Section } from './section.ts';
import { summary } from './summary.ts';

/** Everything on the page, in its order. */
export const SECTIONS: readonly Section[] = [
  summary,
  charts,
  averages,
  results,
  published,
  imported,
  history,
  parity,
  missing,
  flags,
  environment,
  downloads,
];
