import pc from 'picocolors';
import { formatMiB, formatNumber } from '../units.ts';
import type { Diagnosis, EngineDiagnosis } from './doctor.ts';

/** Other processes that keep more than this many cores busy disturb what is measured. */
const BUSY_CORES = 0.3;

export function formatDoctor(diagnosis: Diagnosis): string {
  const { tools, python } = diagnosis;
  const lines = [pc.bold('Machine'), ...machineLines(diagnosis), '', pc.bold('Programs')];
  lines.push(
    row(
      'Python',
      python.system ?? 'not found',
      python.system === null ? 'apt install python3 python3-venv' : null,
    ),
  );
  lines.push(
    row(
      'Python packages',
      python.environment ?? 'not made yet',
      python.environment === null ? 'npx ortbench setup' : null,
    ),
  );
  for (const { name, version, neededFor, mend } of tools)
    lines.push(row(name, version ?? `not found; needed by ${neededFor}`, version === null ? mend : null));
  lines.push('', pc.bold('Engines'), ...diagnosis.engines.flatMap(engineLines));
  return `${lines.join('\n')}\n`;
}

function machineLines({
  machine,
  availableMiB,
  otherLoadCores,
  loadAverage,
  cpuMHz,
  cache,
}: Diagnosis): string[] {
  const cores = `${machine.physicalCores} cores, ${machine.logicalCores} threads`;
  const load =
    otherLoadCores === null
      ? 'unknown'
      : `other processes keep ${formatNumber(otherLoadCores, 2)} cores busy`;
  const average = loadAverage.map((value) => value.toFixed(2)).join(' ');
  const isBusy = otherLoadCores !== null && otherLoadCores > BUSY_CORES;
  const isSlow = machine.cpuGovernor !== null && machine.cpuGovernor !== 'performance';
  const free = cache.freeMiB === null ? 'unknown' : formatMiB(cache.freeMiB);
  return [
    row('CPU', `${machine.cpuModel}, ${cores}${machine.virtualised ? ', virtual machine' : ''}`),
    row('CPU features', machine.cpuFeatures.join(' ') || 'unknown'),
    row('GPU', machine.gpu ?? 'none that nvidia-smi or Vulkan knows of'),
    row('memory', `${formatMiB(machine.memoryMiB)}, ${formatMiB(availableMiB)} free`),
    row(
      'load',
      `${load}; averages ${average}`,
      isBusy ? 'end what else runs: it changes every figure' : null,
    ),
    row(
      'CPU governor',
      machine.cpuGovernor ?? 'not told by this system',
      isSlow ? 'sudo cpupower frequency-set --governor performance' : null,
    ),
    row(
      'CPU clock',
      cpuMHz === null
        ? 'not told by this system: if it throttles, that cannot be flagged'
        : `${formatNumber(cpuMHz)} MHz now; watched in every round`,
    ),
    row('system', `${machine.os}, kernel ${machine.kernel}, ${machine.arch}, Node ${machine.node}`),
    row('cache', `${cache.root}: ${formatMiB(cache.artefactsMiB)} of model files, ${free} free on the disk`),
  ];
}

function engineLines({ id, title, device, availability }: EngineDiagnosis): string[] {
  const name = `${id} on ${device}`;
  if (!availability.available) {
    return [
      `  ${pc.red('✗')} ${name} (${title}): ${availability.reason}`,
      `      ${pc.cyan(`to mend: ${availability.mend}`)}`,
    ];
  }
  const versions = Object.entries(availability.versions).map(([library, version]) => `${library} ${version}`);
  return [
    `  ${pc.green('✓')} ${name} (${title}): ${versions.join(', ')}`,
    ...availability.notes.map((note) => pc.dim(`      ${note}`)),
  ];
}

function row(name: string, value: string, mend: string | null = null): string {
  const line = `  ${name.padEnd(16)} ${value}`;
  return mend === null ? line : `${line}\n${' '.repeat(19)}${pc.cyan(`to mend: ${mend}`)}`;
}
