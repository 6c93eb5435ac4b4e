/** A twentieth of what `test/scale/fuzz.scale.ts` reads. */
import { describe, it } from 'node:test';
import { fuzzChunkedBodies } from '../../support/fuzz/chunked-bodies.ts';
import { fuzzClientHellos } from '../../support/fuzz/client-hellos.ts';
import { fuzzFrameStreams } from '../../support/fuzz/frame-streams.ts';
import { fuzzProxyHeaders } from '../../support/fuzz/proxy-headers.ts';
import { fuzzRequestHeads } from '../../support/fuzz/request-heads.ts';

const SEED = 20_260;

describe('mutated input', () => {
  it('is one request or one refusal, for any cut', () => {
    fuzzRequestHeads(10_000, SEED);
  });
  it('is one chunked body or one fault, for any cut', () => {
    fuzzChunkedBodies(5000, SEED);
  });
  it('is tracked frame by frame as ws reads it, for any cut', () => {
    fuzzFrameStreams(10_000, SEED);
  });
  it('is one PROXY header or one refusal, for any cut', () => {
    fuzzProxyHeaders(10_000, SEED);
  });
  it('is one ClientHello or one refusal, for any cut', () => {
    fuzzClientHellos(5000, SEED);
  });
});
