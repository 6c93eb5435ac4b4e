/**
 * Mutated requests, chunked bodies and frames against the parsers of our own engines, in process: no crash, and the same result
 * wherever the bytes are cut. The suite reads a twentieth of each.
 */
import { describe, it } from 'node:test';
import { fuzzChunkedBodies } from '../support/fuzz/chunked-bodies.ts';
import { fuzzFrameStreams } from '../support/fuzz/frame-streams.ts';
import { fuzzRequestHeads } from '../support/fuzz/request-heads.ts';

const SEED = 9112;

describe('parsers that get mutated input', { timeout: 900_000, concurrency: false }, () => {
  it('read 200,000 heads of requests', () => {
    fuzzRequestHeads(200_000, SEED);
  });
  it('read 100,000 chunked bodies', () => {
    fuzzChunkedBodies(100_000, SEED);
  });
  it('track 200,000 streams of frames', () => {
    fuzzFrameStreams(200_000, SEED);
  });
});
