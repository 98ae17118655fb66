/**
 * A text with what stands between its `<!-- name -->` and `<!-- /name -->` made anew: docs whose figures commands write.
 * @param where names the text in an error
 * @param change what stands there → what shall, with the line breaks around it
 */
export function replaceMarked(text, name, where, change) {
  const marked = new RegExp(`(<!-- ${name} -->)([\\s\\S]*?)(<!-- /${name} -->)`);
  if (!marked.test(text)) throw new Error(`${where} has no <!-- ${name} --> … <!-- /${name} -->`);
  return text.replace(marked, (_, begin, content, end) => `${begin}${change(content)}${end}`);
}
