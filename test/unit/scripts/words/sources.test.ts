import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proseOfMarkdown } from '../../../../scripts/words/pages.ts';
import type { Prose } from '../../../../scripts/words/prose.ts';
import { proseOfHashComments, proseOfTypeScript } from '../../../../scripts/words/sources.ts';

const brief = (prose: readonly Prose[]): string[] =>
  prose.map(({ line, text, hasSentences }) => `${line} ${text}${hasSentences ? '' : ' (text)'}`);

describe('prose of sources', () => {
  it('is comments, by paragraphs and tags, and texts of several words', () => {
    const code = `/**
 * First paragraph
 * goes here.
 *
 * Second one.
 *
 * @param name what it means
 * - an item
 */
export const name = 'four words are here'; // behind code
// two
// lines
throw new Error(\`\${name} is a long text\`, 'short');
// the end
`;
    assert.deepEqual(brief(proseOfTypeScript('a.ts', code)), [
      '2 First paragraph goes here.',
      '5 Second one.',
      '7 what it means',
      '8 - an item',
      '10 four words are here (text)',
      '10 behind code',
      '11 two lines',
      '13 ${name} is a long text (text)',
      '14 the end',
    ]);
  });

  it('is no part of strings and expressions that look like comments', () => {
    const code = "const a = 'http://x'; const b = /\\/\\/ no/u; const c = `// no ${a} // no`;\n";
    assert.deepEqual(brief(proseOfTypeScript('a.ts', code)), ['1 // no ${a} // no (text)']);
  });

  it('is the comments after # in other files', () => {
    assert.deepEqual(
      brief(proseOfHashComments('a.yaml', '#!/bin/sh\n# one\n# two\na: 1 # three\nb: "#4"\n')),
      ['2 one two', '4 three'],
    );
  });

  it('is paragraphs, items and cells of a page, not its code', () => {
    const page =
      '# Title\n\nOne\ntwo.\n\n- item\n  more\n- other\n\n```sh\nso many\n```\n\n| a | b c |\n| - | --- |\n';
    assert.deepEqual(
      brief(proseOfMarkdown('a.md', page)).filter((line) => !/^\d+ -+$/u.test(line)),
      ['3 One two.', '6 item more', '8 other', '14 a', '14 b c'],
    );
  });
});
