import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { REPORT_DIRECTORY, writePage } from '../../../../bench/report/page.ts';

const directory = mkdtempSync(join(tmpdir(), 'report-page-'));

describe('the results page', () => {
  after(() => rmSync(directory, { recursive: true }));

  it('contains the committed results, and loads no other file', () => {
    for (const name of ['comparison', 'faults', 'scaling']) {
      copyFileSync(join(REPORT_DIRECTORY, `${name}.json`), join(directory, `${name}.json`));
    }
    const page = readFileSync(writePage(directory), 'utf8');
    for (const text of ['ws echo 50x16 32 B', 'nginx']) assert.ok(page.includes(text), text);
    const outside = /<(?:script|link|img)[^>]+(?:src|href)=[^>]*>/.exec(page);
    assert.equal(outside, null);
  });

  it('can be built without results', () => {
    const empty = mkdtempSync(join(directory, 'empty-'));
    assert.match(readFileSync(writePage(empty), 'utf8'), /"comparison":null/);
  });
});
