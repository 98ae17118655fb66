import type { Format } from '../figure.ts';
import { genaiE2e } from './genai-e2e.ts';
import { llamaBatchedBench } from './llama-batched-bench.ts';
import { llamaBench } from './llama-bench.ts';
import { optimumBenchmark } from './optimum-benchmark.ts';

/** Every tool whose output can be read. */
export const FORMATS: readonly Format[] = [llamaBench, llamaBatchedBench, genaiE2e, optimumBenchmark];
