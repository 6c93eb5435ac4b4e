/** docs/engines.md has the table of test/conformance/engine-differences.ts. `WRITE_DOCS=1` writes it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { format, resolveConfig } from 'prettier';
import { ENGINE_DIFFERENCES } from '../../conformance/engine-differences.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PAGE = join(ROOT, 'docs/engines.md');
const BEGIN = '<!-- made from test/conformance/engine-differences.ts -->';

/** The part of the page behind {@link BEGIN}. */
async function differences(): Promise<string> {
  const groups = ENGINE_DIFFERENCES.map(({ title, rows }) =>
    [
      `### ${title}`,
      '',
      '| What | `raw` and `net` | `uws` | Why | Checked by |',
      '| --- | --- | --- | --- | --- |',
      ...rows.map(({ what, own, uws, why, held }) => `| ${[what, own, uws, why, held].join(' | ')} |`),
    ].join('\n'),
  );
  return format(groups.join('\n\n'), { ...(await resolveConfig(PAGE)), filepath: PAGE });
}

describe('docs/engines.md', () => {
  it('lists every difference between the engines, with its reason', async () => {
    const page = readFileSync(PAGE, 'utf8');
    const [before = ''] = page.split(BEGIN);
    const wanted = `${before}${BEGIN}\n\n${await differences()}`;
    if (process.env.WRITE_DOCS === '1') writeFileSync(PAGE, wanted);
    assert.equal(
      readFileSync(PAGE, 'utf8'),
      wanted,
      'WRITE_DOCS=1 node --test test/unit/docs/engines.test.ts writes it',
    );
  });

  it('names tests that exist', () => {
    const paths = ENGINE_DIFFERENCES.flatMap(({ rows }) =>
      rows.flatMap(({ held }) => held.split(', ')),
    ).filter((held) => held.startsWith('test/'));
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
});
