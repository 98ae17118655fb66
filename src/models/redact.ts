/** Variables whose values let the hub's libraries in; Python tracebacks and URLs may quote them. */
const SECRET_VARIABLES = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HUGGINGFACEHUB_API_TOKEN'];

/** Takes out tokens before a text of a library reaches the terminal, a record or a report. */
export function redactSecrets(text: string): string {
  let clean = text.replaceAll(/\bhf_[A-Za-z0-9]{8,}/g, 'hf_***').replaceAll(/(\/\/)[^/\s@]+@/g, '$1***@');
  for (const name of SECRET_VARIABLES) {
    const value = process.env[name];
    if (value) clean = clean.replaceAll(value, '***');
  }
  return clean;
}
