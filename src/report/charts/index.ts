import type { Chart } from './figure.ts';
import { speedup } from './speedup.ts';
import { throughput } from './throughput.ts';
import { utilisation } from './utilisation.ts';

/** Every kind of chart, in the order of the headline. */
export const CHARTS: Readonly<Record<string, Chart>> = { throughput, speedup, utilisation };
