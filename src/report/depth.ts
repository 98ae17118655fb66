import type { Manifest } from '../schema/manifest.ts';
import { atDepth, silentMlpShare } from '../stats/roofline.ts';
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
        : `, of all ${ofLayers} layers ${formatPercent(Math.max(...works.map((work) => silentMlpShare(atDepth(work, ofLayers)))), 0)}`;
    return [
      `${titles} runs the MLP of the last layer for the last position of a prompt alone: with the ${plural(layers, 'layer')} of ${model} a prefill has ${formatPercent(share, 0)} less arithmetic than the others'${whole}. A deep model's prompts would look slower beside them.`,
    ];
  });
}
