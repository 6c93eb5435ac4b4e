/** Texts with placeholders: `$1` to `$9`, names such as `$host`, and `$$` for a dollar sign. */

/** A literal text, or the name of a value to insert. The name is empty for a dollar sign without one. */
export type TemplatePart = { readonly text: string } | { readonly name: string };

/** A redirect's target in parts. */
interface TargetParts {
  /** Scheme and host of a URL. Empty for a path. */
  readonly authority: readonly TemplatePart[];
  readonly path: readonly TemplatePart[];
  /** Query and fragment, with the `?` or `#` before them. */
  readonly rest: readonly TemplatePart[];
}

const DOLLAR = /\$(\$|[1-9]|[a-z_]\w*)?/gi;
const TARGET = /^((?:https?:)?\/\/[^/?#]*)?([^?#]*)(.*)$/is;

/** Splits a text at its placeholders. */
export function templateParts(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const { 0: dollar, 1: name = '', index } of template.matchAll(DOLLAR)) {
    if (index > end) parts.push({ text: template.slice(end, index) });
    parts.push(name === '$' ? { text: '$' } : { name });
    end = index + dollar.length;
  }
  if (end < template.length) parts.push({ text: template.slice(end) });
  return parts;
}

/** Splits a redirect's target: a path, a URL, or a URL without its scheme. */
export function targetParts(target: string): TargetParts {
  const [, authority = '', path = '', rest = ''] = TARGET.exec(target) ?? [];
  return { authority: templateParts(authority), path: templateParts(path), rest: templateParts(rest) };
}

/** Joins the parts of a text. @param valueOf returns the value of a name */
export function expandTemplate(parts: readonly TemplatePart[], valueOf: (name: string) => string): string {
  let text = '';
  for (const part of parts) text += 'text' in part ? part.text : valueOf(part.name);
  return text;
}
