/** docs/reference/status-and-close-codes.md has every answer and close frame that sluice itself sends. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { STATUS_CODES } from 'node:http';
import { findOwnCloses, findOwnStatuses } from '../../../scripts/reference/own-answers.ts';
import { failureAnswer } from '../../../src/l7/attempts/failure-rules.ts';
import { CONNECT_FAILURES } from '../../../src/telemetry/metrics/label-values.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/reference/status-and-close-codes.md'), 'utf8');

/** Code and text of each row with a text in code. */
const ROWS = Array.from(
  PAGE.matchAll(/^\| (\d{3,4}) +\| `([^`]+)`/gm),
  ([, code, text]) => `${code} ${text}`,
);

describe('docs/reference/status-and-close-codes.md', () => {
  it('has every status and text of the source', () => {
    const found = findOwnStatuses().map(({ code, text }) => `${code} ${text}`);
    assert.ok(found.length > 40);
    assert.deepEqual(
      found.filter((row) => !ROWS.includes(row)),
      [],
    );
  });

  it('has every close code and reason of the source', () => {
    const found = findOwnCloses().map(({ code, text }) => `${code} ${text}`);
    assert.ok(found.length > 5);
    assert.deepEqual(
      found.filter((row) => !ROWS.includes(row)),
      [],
    );
  });

  it('has the answer to each reason why attempts end without an endpoint', () => {
    const ends = CONNECT_FAILURES.map((lastFailure) => ({ limit: null, lastFailure }));
    const answers = [...ends, { limit: null, lastFailure: null }].map((end) => failureAnswer(end));
    assert.deepEqual(
      answers.map(({ status, message }) => `${status} ${message}`).filter((row) => !ROWS.includes(row)),
      [],
    );
  });

  it('has no text that the source does not have', () => {
    const source = ['l7', 'access', 'wire', 'routing', 'primary', 'worker']
      .flatMap((folder) =>
        readdirSync(join(ROOT, 'src', folder), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(ROOT, 'src', folder, name),
        ),
      )
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    const unknown = ROWS.filter((row) => {
      const [, code = '', text = ''] = /^(\d+) (.*)$/.exec(row) ?? [];
      const isStandard = text === `${code} ${STATUS_CODES[Number(code)]}`;
      return (
        !isStandard && !source.includes(text) && !source.includes(text.replace('connections', '${kind}'))
      );
    });
    assert.deepEqual(unknown, []);
  });
});
