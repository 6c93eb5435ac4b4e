/** Finds prose in Markdown: paragraphs, list items and table cells. */
import type { Prose } from './prose.ts';

/** Returns the prose of a Markdown page. Leaves out code blocks, headings and front matter. */
export function proseOfMarkdown(file: string, page: string): Prose[] {
  const prose: { file: string; line: number; text: string; hasSentences: boolean }[] = [];
  let fence: string | null = null;
  let isOpen = false;
  for (const [index, raw] of page.split('\n').entries()) {
    const text = raw.trim();
    const mark = /^(```+|~~~+)/u.exec(text)?.[1] ?? null;
    if (fence !== null) {
      if (mark !== null && text === fence) fence = null;
      continue;
    }
    if (mark !== null) {
      fence = mark;
      isOpen = false;
    } else if (text === '' || /^(#|<!--|---|\[[^\]]+\]:)/u.test(text)) {
      isOpen = false;
    } else if (text.startsWith('|')) {
      isOpen = false;
      for (const cell of text.split(/(?<!\\)\|/u))
        if (cell.trim() !== '') prose.push({ file, line: index + 1, text: cell.trim(), hasSentences: true });
    } else if (!isOpen || /^([-*+>]|\d+\.) /u.test(text)) {
      prose.push({ file, line: index + 1, text: text.replace(/^([-*+>]|\d+\.) /u, ''), hasSentences: true });
      isOpen = true;
    } else prose.at(-1)!.text += ` ${text}`;
  }
  return prose;
}
