// `npm run lock:python`: the two lock files of the Python environment, from runners/requirements.in. Every package keeps its
// version as long as that fits; `--upgrade` takes the newest. Nothing is installed: pip says what it would take for this
// machine. Wheels for every platform go into the lock with hashes, all others into the one with versions. Run it with
// Python 3.11 on Linux, and then npm test. Lines that carry a marker (`;`) are for some machines only and keep it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { interpreterIn } = await import('../dist/python/interpreter.js');
const { installerEnvironment } = await import('../dist/python/environment.js');

const { values } = parseArgs({ options: { upgrade: { type: 'boolean', default: false } } });
const runners = fileURLToPath(new URL('../runners/', import.meta.url));
const LOCKS = {
  universal: {
    path: `${runners}requirements-universal.lock`,
    head: [
      'Packages of the Python environment that are one and the same wheel on every machine, each by its hash; installed',
      'with --require-hashes. The others are in requirements.lock. Generated: npm run lock:python.',
    ],
  },
  platform: {
    path: `${runners}requirements.lock`,
    head: [
      'Packages of the Python environment that are another artefact on every platform or in every build, each by its',
      'version. Tested on Linux x86-64 with Python 3.11. CUDA builds of torch pin their own libraries. The others are in',
      'requirements-universal.lock. Generated: npm run lock:python.',
    ],
  },
};

const nameOf = (requirement) => /^[A-Za-z0-9._-]+/.exec(requirement)[0].toLowerCase().replaceAll('_', '-');

/** Requirement lines of a lock file, without comments and hashes. */
function lockedLines({ path }) {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/ --hash=\S+/g, ''));
}

const before = Object.values(LOCKS).flatMap(lockedLines);
const markers = new Map(
  before.flatMap((line) => (line.includes(';') ? [[nameOf(line), line.slice(line.indexOf(';'))]] : [])),
);

function must(file, args) {
  const options = { encoding: 'utf8', maxBuffer: 2 ** 28, env: installerEnvironment() };
  const { status, stdout, stderr } = spawnSync(file, args, options);
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr.slice(-2000)}`);
  return stdout;
}

const folder = mkdtempSync(join(tmpdir(), 'ortbench-lock-'));
try {
  must('python3', ['-m', 'venv', folder]);
  const constraints = join(folder, 'constraints.txt');
  writeFileSync(constraints, values.upgrade ? '' : `${before.join('\n')}\n`);
  const report = join(folder, 'report.json');
  must(interpreterIn(folder), [
    ...['-m', 'pip', 'install', '--dry-run', '--ignore-installed', '--only-binary', ':all:', '--quiet'],
    ...['--report', report, '--requirement', `${runners}requirements.in`, '--constraint', constraints],
  ]);
  const lines = { universal: [], platform: [] };
  for (const { metadata, download_info: download } of JSON.parse(readFileSync(report, 'utf8')).install) {
    // A build of torch for this machine's devices is the same version elsewhere.
    const pin = `${metadata.name}==${metadata.version.replace(/\+.*$/, '')}`;
    const file = new URL(download.url).pathname;
    const { sha256 } = download.archive_info.hashes;
    if (file.endsWith('-none-any.whl')) lines.universal.push(`${pin} --hash=sha256:${sha256}`);
    else lines.platform.push(`${pin}${markers.get(nameOf(pin)) ?? ''}`);
  }
  for (const [which, { path, head }] of Object.entries(LOCKS)) {
    const sorted = lines[which].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    writeFileSync(path, `${head.map((line) => `# ${line}\n`).join('')}${sorted.join('\n')}\n`);
    console.log(`${path}: ${sorted.length} packages`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
