import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { TicketSettings } from '../../../../../../src/config/types/listener.ts';
import { errorsOf, inDirectory, l7, l7Of, load, warningsOf } from '../../../load.ts';
import { GOOD_CERT, GOOD_KEY } from '../../../pem.ts';

const FILES = { 'good.pem': GOOD_CERT, 'good.key': GOOD_KEY };

/** Returns keys whose bytes are the key's number. */
function keys(...numbers: readonly number[]): Buffer {
  return Buffer.concat(numbers.map((number) => Buffer.alloc(80, number)));
}

function text(tickets: string): string {
  return l7('engine: raw', `tls: { certificates: [{ cert: good.pem, key: good.key }], tickets: ${tickets} }`);
}

/** Writes a key file that nobody else may read. */
function write(name: string, content: Buffer): void {
  writeFileSync(inDirectory(name), content);
  chmodSync(inDirectory(name), 0o600);
}

function read(tickets: string): TicketSettings | undefined {
  return l7Of(load(text(tickets), { files: FILES })).tls?.tickets;
}

function errors(tickets: string): string[] {
  return errorsOf(text(tickets), { files: FILES });
}

describe('the keys of session tickets', () => {
  it('are replaced at an interval', () => {
    assert.deepEqual(read('{ rotate: 1h }'), { kind: 'rotate', rotateMs: 3_600_000 });
    assert.deepEqual(read('{}'), { kind: 'rotate', rotateMs: 43_200_000 });
    assert.deepEqual(errors('{ rotate: 8d }'), ['6:82: rotate: 8d is out of range: write 1s to 7d']);
  });

  it('come from a file of 1 to 8 keys', () => {
    for (const count of [1, 8]) {
      const numbers = Array.from({ length: count }, (_, index) => index);
      write('tickets.key', keys(...numbers));
      const settings = read('{ keyFile: tickets.key }');
      assert.ok(settings?.kind === 'file');
      assert.equal(settings.keyFile, inDirectory('tickets.key'));
      assert.deepEqual(
        settings.keys,
        numbers.map((number) => keys(number).toString('base64')),
      );
    }
  });

  it('have 80 bytes each', () => {
    for (const [size, shown] of [
      [0, '0B'],
      [48, '48B'],
      [81, '81B'],
      [720, '720B'],
    ] as const) {
      write('tickets.key', Buffer.alloc(size));
      assert.deepEqual(errors('{ keyFile: tickets.key }'), [
        `6:83: keyFile: "tickets.key" has ${shown}, and must have 1 to 8 keys of 80 bytes: generate a key with openssl rand 80`,
      ]);
    }
    write('large.key', Buffer.alloc(100_000));
    assert.deepEqual(errors('{ keyFile: large.key }'), [
      '6:83: keyFile: "large.key" is larger than 64KiB (looked at large.key)',
    ]);
  });

  it('are identified by their first 16 bytes', () => {
    write('tickets.key', keys(1, 2, 1));
    assert.deepEqual(errors('{ keyFile: tickets.key }'), [
      '6:83: keyFile: keys 1 and 3 of "tickets.key" begin with the same 16 bytes, which identify a key: leave one out',
    ]);
  });

  it('do not rotate if they come from a file', () => {
    write('tickets.key', keys(1));
    assert.deepEqual(errors('{ keyFile: tickets.key, rotate: 1h }'), [
      '6:104: rotate: the keys of keyFile change with the file: leave rotate or keyFile out',
    ]);
  });

  it('cause a warning if every user can read the file', () => {
    write('tickets.key', keys(1));
    assert.deepEqual(warningsOf(text('{ keyFile: tickets.key }'), { files: FILES }), []);
    chmodSync(inDirectory('tickets.key'), 0o644);
    assert.deepEqual(warningsOf(text('{ keyFile: tickets.key }'), { files: FILES }), [
      '6:83: every user of the machine may read "tickets.key", whose keys decrypt recorded connections: run chmod 600 on it',
    ]);
  });

  it('are in a file that is watched', () => {
    write('tickets.key', keys(1));
    const { files } = load(text('{ keyFile: tickets.key }'), { files: FILES });
    assert.ok(files.includes(inDirectory('tickets.key')));
  });
});
