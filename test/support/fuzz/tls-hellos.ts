/** Mutated ClientHellos, sent to OpenSSL in pieces: the answer is the same wherever they are cut. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openssl } from '../../../src/sys/openssl.ts';
import { CHROMIUM, NODE, OPENSSL_TLS_1_2, PYTHON } from '../tls/captured-hellos.ts';
import type { HandshakePlace } from '../tls/handshake-place.ts';
import { cutPlaces, edited, edits, readEnds } from './mutations.ts';

const HELLOS = [NODE, OPENSSL_TLS_1_2, PYTHON, CHROMIUM];

/** Heads of records and messages, lengths, versions, and numbers of extensions: names, groups, ALPN, tickets, keys, PSKs. */
const PIECES = [
  ...['16', '15', '14', '17', '01', '160301', '160303', '0303', '0304', '0000', '0001', '00ff', 'ffff', '7f'],
  ...[
    '000a',
    '000d',
    '0010',
    '0017',
    '0023',
    '0029',
    '002a',
    '002b',
    '002d',
    '0033',
    'fe0d',
    '5600',
    '13011302',
  ],
  ...[
    '0000000e00000b6578616d706c652e636f6d',
    '0010000e000c02683208687474702f312e31',
    '002b0003020304',
    '15030300020100',
  ],
].map((hex) => Buffer.from(hex, 'hex'));

/** The server's final answer: the type of its first record, and its reason. */
interface Answer {
  readonly step: string;
  readonly record: number | null;
  readonly failure: string;
}

/** Sends mutated hellos. Throws if an answer depends on the cuts, or if the server throws or leaves an error. */
export function fuzzTlsHellos(place: HandshakePlace, runs: number, seed: number): void {
  const answered = { hello: 0, alert: 0, nothing: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...HELLOS), edits(PIECES), cutPlaces, (base, list, places) => {
      const bytes = edited(base, list);
      const whole = answerTo(place, bytes, [bytes.length]);
      const cut = answerTo(place, bytes, readEnds(bytes.length, places));
      assert.deepEqual(cut, whole);
      if (whole.record === 22) answered.hello++;
      else if (whole.record === 21) answered.alert++;
      else answered.nothing++;
    }),
    { numRuns: runs, seed },
  );
  for (const [kind, count] of Object.entries(answered)) {
    assert.ok(count > runs / 50, `${count} of ${runs} hellos were answered by ${kind}`);
  }
}

function answerTo(place: HandshakePlace, bytes: Buffer, ends: readonly number[]): Answer {
  const pair = place.connect();
  const { client, stream } = pair;
  let step: ReturnType<typeof stream.handshake> = 'read';
  let at = 0;
  for (const end of ends) {
    place.send(client, bytes.subarray(at, end));
    at = end;
    step = stream.handshake();
    assert.equal(openssl().peekError(), 0);
    if (step !== 'read') break;
  }
  assert.ok(step === 'read' || step === 'failed', step);
  const record = place.received(client)?.[0] ?? null;
  place.sockets.finish(client);
  const { failure } = stream;
  assert.equal(stream.handshake(), 'failed');
  assert.equal(openssl().peekError(), 0);
  place.sockets.close(client);
  place.drop(pair);
  return { step, record, failure };
}
