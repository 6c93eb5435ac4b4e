import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noticesOf } from '../../../../src/page/model/notices.ts';
import type { LiveFrame } from '../../../../src/protocol/admin/live.ts';
import { START_MS, frameOf } from '../../../support/page/frames.ts';

const DAY_MS = 86_400_000;

/** Returns a listener whose certificate expires in the given number of days. */
function listenerOf(name: string, certificate: string, days: number): LiveFrame['listeners'][number] {
  const notAfter = new Date(START_MS + days * DAY_MS).toISOString();
  return {
    name,
    mode: 'l7',
    address: '127.0.0.1:443',
    tls: true,
    engine: 'raw',
    engineReason: '',
    connections: 0,
    drained: false,
    certificates: [{ name: certificate, notAfter }],
  };
}

describe("the page's notices", () => {
  it('name each expired or soon expiring certificate once, by its earliest expiry', () => {
    const listeners = [
      listenerOf('old', 'a.example', 3.5),
      listenerOf('new', 'a.example', 80),
      listenerOf('other', 'b.example', 30),
      listenerOf('late', 'c.example', -1),
    ];
    const texts = noticesOf(frameOf({ at: START_MS, listeners })).map(({ text }) => text);
    assert.deepEqual(texts, [
      'The certificate a.example ends in 3 days',
      `The certificate c.example has ended: ${listeners[3]!.certificates[0]!.notAfter}`,
    ]);
  });
});
