import type { Published, PublishedClaim, PublishedSystem } from '../../schema/published.ts';
import { countLayers } from '../describe.ts';
import type { Findings } from './compare.ts';
import type { Difference, MeasuredClaim } from './model.ts';

const UNSAID = 'not stated there';

/** Everything known to differ between a published figure and the measured one, in the order of DIFFERENCE_KINDS. */
export function differences(
  findings: Findings,
  source: Published['source'],
  system: Omit<PublishedSystem, 'claims'>,
  claim: PublishedClaim,
  measured: MeasuredClaim,
): Difference[] {
  const found: (Difference | null)[] = [
    hardware(findings, system, measured),
    ...model(findings, measured),
    precision(claim, measured),
    baseline(claim, measured),
    versions(findings, system, measured),
    grid(claim, measured),
    generate(findings, system),
    claim.phase === null ? { kind: 'phase', text: `phase: ${UNSAID}` } : null,
    ...source.caveats.map((text): Difference => ({ kind: 'prompts', text })),
    measured.parity === 'match' ? null : { kind: 'parity', text: 'parity: not checked here' },
  ];
  return found.filter((difference) => difference !== null);
}

type System = Omit<PublishedSystem, 'claims'>;

function hardware({ manifest }: Findings, system: System, { highest }: MeasuredClaim): Difference {
  const { cpuModel, gpu } = manifest.environment;
  const here =
    highest.cell.device === 'cpu' ? `CPU (${cpuModel}, ${manifest.threads} threads)` : (gpu ?? 'GPU');
  const there =
    system.hardware === null
      ? `a ${system.device} device there, which one is not stated`
      : `${system.hardware} there`;
  return { kind: 'hardware', text: `hardware: ${here} here, ${there}` };
}

function model({ manifest }: Findings, { model }: MeasuredClaim): (Difference | null)[] {
  const entry = manifest.models.find(({ name }) => name === model);
  if (entry === undefined) return [];
  return [
    entry.origin.startsWith('seeded random weights')
      ? { kind: 'weights', text: "weights: random here, the model's own there" }
      : null,
    entry.ofLayers === undefined
      ? null
      : { kind: 'layers', text: `layers: ${countLayers(entry)} here, all there` },
  ];
}

function precision(claim: PublishedClaim, measured: MeasuredClaim): Difference | null {
  if (claim.precision === measured.precision) return null;
  return { kind: 'precision', text: `precision: ${measured.precision} here, ${claim.precision} there` };
}

function baseline(claim: PublishedClaim, { baseline }: MeasuredClaim): Difference | null {
  const there = claim.baseline.precision;
  if (there === baseline.precision) return null;
  const published = there === null ? `precision ${UNSAID}` : `${claim.baseline.title} ${there} there`;
  return { kind: 'baseline', text: `baseline: ${baseline.title} ${baseline.precision} here, ${published}` };
}

function versions({ rows }: Findings, system: System, { highest }: MeasuredClaim): Difference | null {
  const { engine, precision, model } = highest.cell;
  const { baseline } = highest;
  const used = (name: string, kind: string) =>
    rows.find(
      ({ cell, session }) =>
        session !== null && cell.model === model && cell.engine === name && cell.precision === kind,
    )?.session?.versions ?? {};
  const all = { ...used(baseline.engine, baseline.precision), ...used(engine, precision) };
  const here = Object.entries(all).map(([library, version]) => `${library} ${version}`);
  if (here.length === 0) return null;
  const there = system.versions === null ? UNSAID : `${system.versions} there`;
  return { kind: 'versions', text: `versions: ${here.join(', ')} here; ${there}` };
}

function grid(claim: PublishedClaim, { namedCell, compared, cells }: MeasuredClaim): Difference | null {
  const { upTo } = claim;
  const missing =
    upTo !== null && upTo.batchSize !== null && upTo.promptLength !== null && namedCell === null
      ? `batch ${upTo.batchSize}, prompt ${upTo.promptLength} not measured here`
      : null;
  const few = compared < cells ? `${compared} of ${cells} cells of this sweep measured` : null;
  const parts = [missing, few].filter((part) => part !== null);
  return parts.length === 0 ? null : { kind: 'grid', text: `grid: ${parts.join('; ')}` };
}

function generate({ manifest }: Findings, system: System): Difference | null {
  if (system.generate === manifest.generate) return null;
  const there = system.generate === null ? UNSAID : `${system.generate} there`;
  return { kind: 'generate', text: `tokens generated: ${manifest.generate} here, ${there}` };
}
