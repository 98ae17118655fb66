// Adds to package-lock.json the optional packages of other platforms that the registry at hand does not hold. Without
// them `npm ci` refuses the lock file on every machine. Run it after `npm install` changed the lock file.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(path, 'utf8'));

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];
// esbuild, oxc and others spell the same processors otherwise.
const ALIASES = { armv7: 'arm', aarch64: 'arm64', amd64: 'x64', ppc64le: 'ppc64' };

function platformOf(name) {
  const words = name.split(/[-/@]/);
  const named = words.map((word) => ALIASES[word] ?? word);
  const os = SYSTEMS.find((system) => named.includes(system));
  const cpu = PROCESSORS.find((processor) => named.includes(processor));
  const libc = words.includes('musl') ? ['musl'] : undefined;
  return { ...(cpu && { cpu: [cpu] }), optional: true, ...(os && { os: [os] }), ...(libc && { libc }) };
}

let added = 0;
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || !/^\d/.test(version)) continue;
    lock.packages[key] = { version, ...(entry.dev && { dev: true }), ...platformOf(name) };
    added++;
  }
}
const [root, ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} optional packages of other platforms added`);
