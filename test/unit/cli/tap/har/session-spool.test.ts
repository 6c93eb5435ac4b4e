import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SessionSpool } from '../../../../../src/cli/tap/har/session-spool.ts';
import { scratchDirectory } from '../../../config/load.ts';

describe('lines sorted by session', () => {
  const directory = scratchDirectory();
  let files = 0;

  function sorted(
    lines: readonly (readonly [session: string, line: string])[],
    maxWaiting: number,
  ): Record<string, string[]> {
    const spool = new SessionSpool(join(directory, `sorted-${files++}`), maxWaiting);
    try {
      for (const [session, line] of lines) spool.add(session, line);
      spool.flush();
      const found: Record<string, string[]> = {};
      for (const session of spool.sessions) found[session] = [...spool.lines(session)];
      return found;
    } finally {
      spool.close();
    }
  }

  it('keep their order within a session, whatever the memory limit', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
    const entry = fc.tuple(fc.constantFrom('a-1', 'a-2', 'b-1'), line);
    fc.assert(
      fc.property(fc.array(entry), fc.constantFrom(0, 200, 1_000_000), (lines, maxWaiting) => {
        const expected: Record<string, string[]> = {};
        for (const [session, text] of lines) (expected[session] ??= []).push(text);
        assert.deepEqual(sorted(lines, maxWaiting), expected);
      }),
      { numRuns: 50 },
    );
  });

  it('are stored in an unlinked file', () => {
    const before = readdirSync(directory).length;
    const spool = new SessionSpool(join(directory, 'hidden'));
    assert.equal(readdirSync(directory).length, before);
    assert.deepEqual([...spool.lines('none')], []);
    spool.close();
  });
});
