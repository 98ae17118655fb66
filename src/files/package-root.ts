import { fileURLToPath } from 'node:url';

/** Where configs/ and runners/ lie: two levels up, from src/files and from dist/files alike. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
