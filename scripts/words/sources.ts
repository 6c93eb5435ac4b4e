/** Finds prose in source files: comments, texts for people, and names of tests. */
import ts from 'typescript';
import type { Prose } from './prose.ts';

/** Prose, and whether it is a line comment on its own line. */
interface FoundProse extends Prose {
  readonly isAlone: boolean;
}

/** Min words of a text. Shorter strings are names, keys or parts. */
const MIN_TEXT_WORDS = 4;

/** Returns the prose of a TypeScript file: its longer texts, and its comments by paragraph and tag. */
export function proseOfTypeScript(file: string, code: string): Prose[] {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true);
  const prose: FoundProse[] = [];
  const seen = new Set<number>();
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const addComments = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of ranges ?? []) {
      if (seen.has(pos)) continue;
      seen.add(pos);
      const isAlone = /(?:^|\n)\s*$/u.test(code.slice(0, pos));
      prose.push(...paragraphsOf(file, lineOf(pos), code.slice(pos, end), isAlone));
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) addText(node.getStart(), node.text);
    else if (ts.isTemplateExpression(node))
      addText(node.getStart(), code.slice(node.getStart() + 1, node.end - 1));
    if (node.getChildCount() === 0) {
      addComments(ts.getLeadingCommentRanges(code, node.pos));
      addComments(ts.getTrailingCommentRanges(code, node.end));
    }
    for (const child of node.getChildren()) if (child.kind !== ts.SyntaxKind.JSDoc) visit(child);
  };
  const addText = (position: number, text: string): void => {
    if (text.split(' ').length >= MIN_TEXT_WORDS)
      prose.push({ file, line: lineOf(position), text, hasSentences: false, isAlone: false });
  };
  visit(source);
  return joinLineComments(prose);
}

/** Returns the comments of a file that marks comments with `#`. */
export function proseOfHashComments(file: string, text: string): Prose[] {
  const lines = text.split('\n').flatMap((content, index) => {
    const comment = /(?:^\s*|\s)#\s?(.*)$/u.exec(content);
    return comment === null || /^[!-]/u.test(comment[1]!)
      ? []
      : [{ file, line: index + 1, text: comment[1]!, hasSentences: true, isAlone: comment.index === 0 }];
  });
  return joinLineComments(lines);
}

/** Splits a comment into paragraphs, items of lists and tags. */
function paragraphsOf(file: string, line: number, comment: string, isAlone: boolean): FoundProse[] {
  const isLine = comment.startsWith('//');
  const body = isLine ? comment.slice(2) : comment.replace(/^\/\*+/u, '').replace(/\*\/$/u, '');
  const parts: { line: number; text: string }[] = [];
  let isOpen = false;
  for (const [index, raw] of body.split('\n').entries()) {
    const text = raw.replace(/^\s*\*?\s?/u, '').trim();
    const tag = /^@(?:param\s+\S+|\w+)\s*/u.exec(text);
    if (text === '') isOpen = false;
    else if (tag !== null) parts.push({ line: line + index, text: text.slice(tag[0].length) });
    else if (!isOpen || /^[-*|] ?/u.test(text)) parts.push({ line: line + index, text });
    else parts.at(-1)!.text += ` ${text}`;
    if (text !== '') isOpen = true;
  }
  return parts.map((part) => ({ file, ...part, hasSentences: true, isAlone: isLine && isAlone }));
}

/** Joins line comments on adjacent lines into one paragraph. */
function joinLineComments(found: readonly FoundProse[]): Prose[] {
  const joined: { file: string; line: number; text: string; hasSentences: boolean }[] = [];
  let lastLine = -1;
  for (const { isAlone, ...part } of found) {
    if (isAlone && lastLine === part.line - 1 && part.text !== '' && !part.text.startsWith('-'))
      joined.at(-1)!.text += ` ${part.text}`;
    else joined.push(part);
    lastLine = isAlone && part.text !== '' ? part.line : -1;
  }
  return joined;
}
