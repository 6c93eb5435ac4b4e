import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { blocksOf } from '../../support/documents/blocks.ts';
import { ROOT } from '../../support/processes/program.ts';

const EXAMPLES = join(ROOT, 'config/examples');
const SCHEMA_LINE = '# yaml-language-server: $schema=../../schema.json\n';
const ROW = /^\| \[[^\]]+\]\(\.\.\/config\/examples\/([\w-]+)\/README\.md\) +\| +(\d*) +\|$/gmu;

describe('the examples', () => {
  const listed = new Map(
    Array.from(readFileSync(join(ROOT, 'docs/examples.md'), 'utf8').matchAll(ROW), ([, name, lines]) => [
      name!,
      lines!,
    ]),
  );

  it('are all in docs/examples.md', () => {
    assert.deepEqual([...listed.keys()].sort(), readdirSync(EXAMPLES).sort());
  });

  for (const [name, lines] of listed) {
    it(`${name} has a page and a test`, () => {
      assert.ok(existsSync(join(EXAMPLES, name, 'README.md')));
      assert.ok(existsSync(join(ROOT, 'test/integration/examples', `${name}.test.ts`)));
    });

    it(`${name} has its file in docs/examples.md`, () => {
      const block = blocksOf('docs/examples.md').find(
        ({ note }) => note === `config/examples/${name}/sluice.yaml`,
      );
      const text = readFileSync(join(EXAMPLES, name, 'sluice.yaml'), 'utf8');
      assert.equal(`${SCHEMA_LINE}${block?.code}`, text);
    });

    if (lines === '') continue;
    it(`${name} has a schema line, and as many lines as its row says`, () => {
      const text = readFileSync(join(EXAMPLES, name, 'sluice.yaml'), 'utf8');
      assert.ok(text.startsWith(SCHEMA_LINE));
      assert.equal(text.split('\n').filter((line) => !/^\s*(?:#|$)/u.test(line)).length, Number(lines));
    });
  }
});
