import type { Manifest } from '../schema/manifest.ts';
import { type CellWork, silentMlpShare } from '../stats/roofline.ts';
import { formatPercent } from '../units.ts';
import { plural } from './describe.ts';
import { groupBy } from './group-by.ts';
import type { CellRow } from './model.ts';
import { cellWork } from './roofline.ts';

/** Less than this of a prefill is within what engines differ by anyway. */
const WORTH_SAYING = 0.1;

/**
 * Where engines that leave out part of the last layer stand beside engines that do not, and the model has so few layers that
 * it matters: one sentence a model, with what it would be of the whole model where it was cut.
 */
export function explainDepth(manifest: Manifest, rows: readonly CellRow[]): string[] {
  const sparing = new Map(manifest.engines.map(({ name, sparesLastMlp }) => [name, sparesLastMlp === true]));
  const measured = rows.filter(({ measured, preparation }) => measured !== null && preparation !== null);
  return [...groupBy(measured, ({ cell }) => cell.model)].flatMap(([model, members]) => {
    const [those, others] = [true, false].map((spares) =>
      members.filter(({ cell }) => sparing.get(cell.engine) === spares),
    );
    if (those!.length === 0 || others!.length === 0) return [];
    const works = those!.flatMap(({ cell, preparation }) => cellWork(manifest, cell, preparation!, {}) ?? []);
    const share = Math.max(0, ...works.map(silentMlpShare));
    if (share < WORTH_SAYING) return [];
    const titles = [...new Set(those!.map(({ engineTitle }) => engineTitle))].join(' and ');
    const { layers, ofLayers } = manifest.models.find(({ name }) => name === model)!;
    const whole =
      ofLayers === undefined
        ? ''
        : `, of all ${ofLayers} layers ${formatPercent(Math.max(...works.map((work) => silentMlpShare(ofWhole(work, ofLayers)))), 0)}`;
    return [
      `${titles} runs the MLP of the last layer for the last position of a prompt alone, which the other engines do not: with the ${plural(layers, 'layer')} of ${model} that leaves out ${formatPercent(share, 0)} of a prefill's arithmetic${whole}. Beside the others its prompts look faster here than those of a deep model would.`,
    ];
  });
}

/** The same work on a model of so many of these layers. */
function ofWhole(work: CellWork, layers: number): CellWork {
  const { shape } = work;
  const ends = shape.vocabSize * shape.hiddenSize * (shape.tiedEmbeddings ? 1 : 2);
  const parameters = ends + ((shape.parameters - ends) / shape.layers) * layers;
  return { ...work, shape: { ...shape, layers, parameters } };
}
