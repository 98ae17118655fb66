// The records that the page carries, as the file that they were.

import { element } from './data.js';

async function recordsBlob() {
  const text = element('raw').textContent ?? '';
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(plain, { headers: { 'content-type': 'application/x-ndjson' } }).blob();
}

export function startDownloads() {
  const button = document.getElementById('download-raw');
  if (button === null) return;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await recordsBlob());
      link.download = 'records.jsonl';
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      element('download-error').textContent = `The records in this page cannot be read: ${error}`;
    }
  });
}
