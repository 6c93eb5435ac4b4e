import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { errorsOf, inDirectory, l7, l7Of, load, warningsOf } from '../../load.ts';

function errors(access: string, file = ''): string[] {
  return errorsOf(l7(`access: ${access}`), { files: { 'list.txt': file } });
}

describe('lists of addresses', () => {
  it('accept addresses and blocks of both families, including mapped ones', () => {
    const blocks = ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '::ffff:10.0.0.0/104'];
    const { access } = l7Of(
      load(l7(`access: { deny: ${JSON.stringify(blocks)}, allow: ${JSON.stringify(blocks)} }`)),
    );
    assert.deepEqual([access?.deny, access?.allow], [blocks, blocks]);
  });

  it('refuse invalid blocks', () => {
    for (const bad of ['10.0.0.0/33', '::/129', 'fe80::1%eth0', 'localhost', '10.0.0', '10.0.0.0/8/8', '']) {
      assert.deepEqual(errors(`{ deny: ["${bad}"] }`), [
        `5:22: deny: "${bad}" is neither an IP address nor a CIDR block: write one such as 10.0.0.0/8 or fd00::/8`,
      ]);
    }
    assert.match(errors('{ deny: localhost }')[0] ?? '', /^5:21: deny: "localhost" is neither an IP address/);
    assert.match(
      errors('{ allow: [] }')[0] ?? '',
      /allow: the list is empty: write at least one of IP addresses/,
    );
    assert.match(
      errors('{ deny: [{ fiel: x }] }').join(),
      /unknown key "fiel" in an entry of addresses: did you mean "file"/,
    );
  });

  it('include blocks from files, with comments and empty lines', () => {
    const file = '\ufeff# a comment\n\n 192.0.2.0/24 # another\r\n2001:db8::/32\n';
    const text = l7('access: { deny: [10.0.0.1, { file: list.txt }, 10.0.0.2] }');
    const loaded = load(text, { files: { 'list.txt': file } });
    const deny = l7Of(loaded).access?.deny ?? [];
    assert.deepEqual(deny, ['10.0.0.1', '192.0.2.0/24', '2001:db8::/32', '10.0.0.2']);
    assert.deepEqual(loaded.blockLists.get(deny), [
      '10.0.0.1',
      { file: inDirectory('list.txt') },
      '10.0.0.2',
    ]);
    assert.ok(loaded.files.includes(inDirectory('list.txt')));
  });

  it('name the invalid line of a file', () => {
    assert.deepEqual(errors('{ deny: [{ file: list.txt }] }', '10.0.0.1\n# x\n10.0.0.1, 10.0.0.2\n'), [
      '5:30: file: line 3 of "list.txt": "10.0.0.1, 10.0.0.2" is neither an IP address nor a CIDR block: ' +
        'write one such as 10.0.0.0/8 or fd00::/8',
    ]);
    assert.match(
      errors('{ deny: [{ file: none.txt }] }')[0] ?? '',
      /"none.txt" cannot be read: file not found/,
    );
  });

  it('may be long, but not larger than 4 MiB', () => {
    const lines = Array.from(
      { length: 200_000 },
      (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    );
    const text = l7('access: { deny: [{ file: list.txt }] }');
    const { access } = l7Of(load(text, { files: { 'list.txt': lines.join('\n') } }));
    assert.equal(access?.deny.length, 200_000);
    assert.match(
      errors('{ deny: [{ file: list.txt }] }', '#'.repeat(4 * 1024 ** 2 + 1))[0] ?? '',
      /is larger than 4MiB/,
    );
  });

  it('never fail in other ways, whatever a file contains', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.constant('10.0.0.0/8'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const found = errors('{ deny: [{ file: list.txt }] }', lines.join('\n'));
        assert.ok(
          found.every((error) => error.includes('of "list.txt"') && !error.includes('\n')),
          found.join(),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('cause a warning if they refuse everyone', () => {
    const warnings = (access: string): string[] =>
      warningsOf(l7(`access: ${access}`), { files: { 'list.txt': '# nothing\n' } });
    assert.deepEqual(warnings('{ deny: [10.0.0.0/8, ::1], allow: [10.1.0.0/16, "::ffff:10.0.0.1", ::1] }'), [
      '5:40: deny contains every block of allow and takes precedence, so every client is refused: narrow it',
    ]);
    assert.deepEqual(warnings('{ deny: [0.0.0.0/0, ::/0] }'), [
      '5:15: deny contains every address, so every client is refused: narrow it',
    ]);
    assert.deepEqual(warnings('{ allow: [{ file: list.txt }] }'), [
      '5:15: the files of allow contain no block, so every client is refused: add at least one',
    ]);
    assert.deepEqual(warnings('{ deny: [10.0.0.0/16], allow: [10.0.0.0/8] }'), []);
    assert.deepEqual(warnings('{ deny: [10.0.0.0/8], allow: [10.0.0.1, 192.0.2.1] }'), []);
  });
});
