import type { DefaultTreeAdapterTypes } from 'parse5';

type Node = DefaultTreeAdapterTypes.Node;

export interface HtmlElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** All elements in the order of the page, as a browser would make them. */
export function tree(node: Node): HtmlElement[] {
  const own =
    'tagName' in node
      ? [
          {
            tag: node.tagName,
            attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
          },
        ]
      : [];
  return 'childNodes' in node ? [...own, ...node.childNodes.flatMap(tree)] : own;
}

/** All text in the order of the page. */
export function textOf(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}
