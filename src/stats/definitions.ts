import type { DefinitionId } from '../schema/imported.ts';
import type { Phase } from '../schema/vocabulary.ts';
import {
  bothPhasesThroughput,
  firstTokenThroughput,
  generationThroughput,
  generationWithSelectionThroughput,
  medianStepThroughput,
  promptThroughput,
  type WorkSize,
} from './rates.ts';
import type { RunSummary } from './run-summary.ts';

/** What a figure of another tool counts. */
export interface Definition {
  /** Null for both phases in one figure, which no chart of one phase shows. */
  readonly phase: Phase | null;
  /** Ends the sentence "tokens per second: …". */
  readonly counts: string;
  /** The same count over times of our own, in tokens/s; or why there is none that would be like for like. */
  readonly ours: ((work: WorkSize, runs: readonly RunSummary[]) => number) | string;
}

/**
 * Read from the sources of the tools: llama.cpp 0.5 tools/llama-bench and tools/batched-bench, onnxruntime-genai 0.18
 * benchmark/python/benchmark_e2e.py, optimum-benchmark 0.6 scenarios/inference and trackers/latency.py. Our own times are
 * those of spec/metrics, so every count that can be made of them is.
 */
export const DEFINITIONS_OF_TOOLS: Readonly<Record<DefinitionId, Definition>> = {
  'llama-bench-pp': {
    phase: 'prefill',
    counts: 'random prompt tokens of one sequence over the time to decode them, mean of the repetitions',
    ours: promptThroughput,
  },
  'llama-bench-tg': {
    phase: 'decode',
    counts:
      'single-token forwards of one sequence over their time, nothing selected (the next token is random), mean of the repetitions; the prompt length is its depth (-d), 0 for an empty context',
    ours: generationThroughput,
  },
  'llama-bench-pg': {
    phase: null,
    counts: 'prompt tokens and single-token forwards together over the time of both, nothing selected',
    ours: bothPhasesThroughput,
  },
  'llama-batched-bench-pp': {
    phase: 'prefill',
    counts: 'random prompt tokens of all sequences over the time to decode them, one run',
    ours: promptThroughput,
  },
  'llama-batched-bench-shared-pp': {
    phase: 'prefill',
    counts: 'tokens of one prompt that all sequences share (-pps) over the time to decode it once, one run',
    ours: 'its prompt is decoded once for all sequences, ours for each',
  },
  'llama-batched-bench-tg': {
    phase: 'decode',
    counts:
      'forwards of one token for every sequence over their time, nothing selected (the next tokens are random), one run',
    ours: generationThroughput,
  },
  'genai-e2e-prompt': {
    phase: 'prefill',
    counts: 'prompt tokens over the time of append_tokens, which makes the logits of the last position',
    ours: promptThroughput,
  },
  'genai-e2e-prompt-twice': {
    phase: 'prefill',
    counts:
      "prompt tokens of all sequences times the batch size, so the batch twice (the tool's own formula), over the time of append_tokens",
    // The tool multiplies the whole batch's tokens by the batch size once more; so must be done with ours.
    ours: (work, runs) => work.batchSize * promptThroughput(work, runs),
  },
  'genai-e2e-generation': {
    phase: 'decode',
    counts:
      'batch size over the mean time of generate_next_token after the first: forward and selection together',
    ours: generationWithSelectionThroughput,
  },
  'genai-e2e-generation-median': {
    phase: 'decode',
    counts:
      'batch size over the median time of generate_next_token after the first: forward and selection together',
    ours: medianStepThroughput,
  },
  'optimum-prefill': {
    phase: 'prefill',
    counts:
      'prompt tokens over the time from the call of generate to the logits of the first token (the tool prints sequences per second, here times the prompt length)',
    ours: promptThroughput,
  },
  'optimum-prefill-generate': {
    phase: 'prefill',
    counts:
      'prompt tokens over the time of a generate call for one token, its selection included (the tool prints sequences per second, here times the prompt length)',
    ours: firstTokenThroughput,
  },
  'optimum-decode': {
    phase: 'decode',
    counts:
      "batch size × (new tokens − 1) over the time of generate after the first token, transformers' own loop and its selection included",
    ours: generationWithSelectionThroughput,
  },
};
