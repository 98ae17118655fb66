import type { EngineMeta } from '../../engines/engine.ts';
import type { ModelShape } from '../../schema/model.ts';
import type { ParityFigures, ParityTolerances } from '../../schema/record.ts';
import type { Precision } from '../../schema/vocabulary.ts';

/**
 * The most that an engine which computes the same thing may differ in a model of two layers, from the distributions and
 * controls of docs/parity.md: at least 2.5 times the largest figure seen, and no more than half of the smallest that a
 * mistake had, where both can be. Seen as normalised error: fp32 3e-5 (summation order, rotary angles of late positions),
 * fp16 1.1e-2 and bf16 6e-2 (rounding of activations, and of keys and values), int4 1e-1 (the weights are equal, but
 * engines round activations to 8 bits or to bf16 before they multiply).
 */
export const PARITY_TOLERANCES: Readonly<Record<Precision, ParityTolerances>> = {
  fp32: { normalisedError: 2e-4, systematicError: 5e-5, meanKlDivergence: 2e-8, top1Agreement: 0.99 },
  fp16: { normalisedError: 3e-2, systematicError: 8e-3, meanKlDivergence: 2e-4, top1Agreement: 0.99 },
  bf16: { normalisedError: 1.5e-1, systematicError: 2e-2, meanKlDivergence: 2e-3, top1Agreement: 0.99 },
  int4: { normalisedError: 2.5e-1, systematicError: 2.7e-2, meanKlDivergence: 4e-3, top1Agreement: 0.99 },
};

/** fp32 with a function that is taken from a table of half precision (seen: 8.1e-4). */
const COARSE_FP32: ParityTolerances = {
  normalisedError: 2.5e-3,
  systematicError: 5e-4,
  meanKlDivergence: 1e-6,
  top1Agreement: 0.99,
};

const LAYERS = 2;

/** What an engine of this meta is held to at a precision, with such a model. */
export function tolerancesFor(
  meta: Pick<EngineMeta, 'coarseFp32'>,
  precision: Precision,
  model: Pick<ModelShape, 'activation' | 'layers'>,
): ParityTolerances {
  const coarse = precision === 'fp32' && meta.coarseFp32?.activation === model.activation;
  return forDepth(coarse ? COARSE_FP32 : PARITY_TOLERANCES[precision], model.layers);
}

/**
 * Every layer rounds anew, independently of the others, so that squares of errors add up: errors grow with the root of the
 * number of layers, and divergences, which go with the square of small errors, with the number.
 */
function forDepth(tolerances: ParityTolerances, layers: number): ParityTolerances {
  const squares = Math.max(1, layers / LAYERS);
  return {
    ...tolerances,
    normalisedError: tolerances.normalisedError * Math.sqrt(squares),
    systematicError: tolerances.systematicError * Math.sqrt(squares),
    meanKlDivergence: tolerances.meanKlDivergence * squares,
  };
}

const WORDS = {
  normalisedError: 'normalised logit error',
  systematicError: 'systematic logit error',
  meanKlDivergence: 'mean KL divergence',
} as const satisfies Partial<Record<keyof ParityTolerances, string>>;

/** What is outside the tolerances, in words; empty when the engine computes the same. */
export function parityProblems(figures: ParityFigures, tolerances: ParityTolerances): string[] {
  const found = (Object.keys(WORDS) as (keyof typeof WORDS)[]).flatMap((name) =>
    // Negated, so that a figure that is no number is outside.
    !(figures[name] <= tolerances[name])
      ? [`${WORDS[name]} ${figures[name].toPrecision(3)} exceeds ${Number(tolerances[name].toPrecision(3))}`]
      : [],
  );
  if (figures.top1Agreement < tolerances.top1Agreement) {
    found.push(
      `only ${(figures.top1Agreement * 100).toFixed(1)} % of the ${figures.decidedPositions} decided tokens agree`,
    );
  }
  return found;
}

/** The figure that lies highest over its tolerance, and how many times; below 1 for a match. */
export function worstOf(
  figures: ParityFigures,
  tolerances: ParityTolerances,
): { times: number; by: keyof typeof WORDS } {
  return (Object.keys(WORDS) as (keyof typeof WORDS)[])
    .map((by) => ({ by, times: figures[by] / tolerances[by] }))
    .reduce((most, next) => (next.times > most.times ? next : most));
}
