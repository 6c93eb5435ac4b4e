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

  async function sorted(
    lines: readonly (readonly [session: string, line: string])[],
    maxWaiting: number,
  ): Promise<Record<string, string[]>> {
    const spool = await SessionSpool.create(join(directory, `sorted-${files++}`), maxWaiting);
    try {
      for (const [session, line] of lines) await spool.add(session, line);
      await spool.flush();
      const found: Record<string, string[]> = {};
      for (const session of spool.sessions) found[session] = await collect(spool.lines(session));
      return found;
    } finally {
      await spool.close();
    }
  }

  it('keep their order within a session, however little memory may wait', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
    const entry = fc.tuple(fc.constantFrom('a-1', 'a-2', 'b-1'), line);
    await fc.assert(
      fc.asyncProperty(fc.array(entry), fc.constantFrom(0, 200, 1_000_000), async (lines, maxWaiting) => {
        const expected: Record<string, string[]> = {};
        for (const [session, text] of lines) (expected[session] ??= []).push(text);
        assert.deepEqual(await sorted(lines, maxWaiting), expected);
      }),
      { numRuns: 50 },
    );
  });

  it('lie in a file without a name', async () => {
    const before = readdirSync(directory).length;
    const spool = await SessionSpool.create(join(directory, 'hidden'));
    assert.equal(readdirSync(directory).length, before);
    assert.deepEqual(await collect(spool.lines('none')), []);
    await spool.close();
  });
});

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}
