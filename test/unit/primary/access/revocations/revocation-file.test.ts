import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { StartError } from '../../../../../src/core/errors.ts';
import {
  RevocationFile,
  readRevocationFile,
} from '../../../../../src/primary/access/revocations/revocation-file.ts';
import { capture } from '../../fixtures/config.ts';

const ALICE = { principal: 'jwt:alice', at: 1_893_456_000_000, until: 1_893_542_400_000 };

/** For tests in which every write succeeds. */
function onFailure(): never {
  throw new Error('a write has failed');
}

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-revocations-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the file of revocations', () => {
  it('is read back as written, is private to its owner, and leaves no other files', async () => {
    const path = join(directory, 'revocations.json');
    const file = new RevocationFile(path, () => [ALICE], capture().log, onFailure);
    await file.save();
    assert.deepEqual(readRevocationFile(path), [ALICE]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(directory), ['revocations.json']);
    assert.match(readFileSync(path, 'utf8'), /"until": "2030-01-02T00:00:00.000Z"/);
  });

  it('has no revocations if it is missing', () => {
    assert.deepEqual(readRevocationFile(join(directory, 'none.json')), []);
  });

  for (const [what, text] of [
    ['is empty', ''],
    ['is cut', '{"version":1,"revocations":[{"principal":"a"'],
    ['is no object', 'null'],
    ['is of another version', '{"version":2,"revocations":[]}'],
    ['has no list', '{"version":1}'],
    ['has an entry without times', '{"version":1,"revocations":[{"principal":"a"}]}'],
    ['has an entry that is null', '{"version":1,"revocations":[null]}'],
    [
      'has a name that is too long',
      JSON.stringify({ version: 1, revocations: [{ ...rowOf('x'.repeat(1025)) }] }),
    ],
  ] as const) {
    it(`stops the start with a remedy if it ${what}`, () => {
      const path = join(directory, 'bad.json');
      writeFileSync(path, text);
      assert.throws(
        () => readRevocationFile(path),
        (error) =>
          error instanceof StartError && error.message.includes(path) && error.message.includes('remove it'),
      );
    });
  }

  it('is written once for all changes of a moment', async () => {
    const written: string[] = [];
    const write = (_path: string, text: string): Promise<void> => {
      written.push(text);
      return Promise.resolve();
    };
    let all = [ALICE];
    const file = new RevocationFile('x', () => all, capture().log, onFailure, { write, delayMs: 1 });
    const saves = [file.save(), file.save()];
    all = [];
    await Promise.all(saves);
    assert.deepEqual(
      written.map((text) => JSON.parse(text) as unknown),
      [{ version: 1, revocations: [] }],
    );
  });

  it('is written again after a failure, which is counted and logged', async () => {
    const { log, lines } = capture();
    const done = Promise.withResolvers<undefined>();
    let failures = 0;
    let writes = 0;
    const write = (): Promise<void> => {
      if (++writes === 1) return Promise.reject(new Error('disk full'));
      done.resolve(undefined);
      return Promise.resolve();
    };
    const countFailure = (): void => {
      failures++;
    };
    const file = new RevocationFile('x', () => [], log, countFailure, { write, delayMs: 1, retryMs: 1 });
    await file.save();
    assert.deepEqual([failures, lines[0]?.msg], [1, 'revocations not written']);
    await done.promise;
    assert.equal(writes, 2);
  });

  it('is written when it is closed if something has changed, and never after that', async () => {
    let writes = 0;
    const write = (): Promise<void> => {
      writes++;
      return Promise.resolve();
    };
    const file = new RevocationFile('x', () => [], capture().log, onFailure, { write, delayMs: 60_000 });
    const saved = file.save();
    await file.close();
    await saved;
    await file.save();
    await file.close();
    assert.equal(writes, 1);
  });
});

function rowOf(principal: string): object {
  return { principal, at: '2030-01-01T00:00:00.000Z', until: '2030-01-01T00:00:00.000Z' };
}
