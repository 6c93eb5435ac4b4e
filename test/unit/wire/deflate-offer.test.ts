import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseDeflateOffer } from '../../../src/wire/deflate-offer.ts';

const PLAIN = 'permessage-deflate';
const DEDICATED = true;
const SHARED = false;

describe('the choice among offers of permessage-deflate', () => {
  it('takes what browsers offer, with either compressor', () => {
    for (const offer of [PLAIN, `${PLAIN}; client_max_window_bits`, `${PLAIN};client_no_context_takeover`]) {
      assert.equal(chooseDeflateOffer(offer, SHARED), offer);
      assert.equal(chooseDeflateOffer(offer, DEDICATED), offer);
    }
  });

  it('takes nothing where nothing, or something else, is offered', () => {
    for (const offers of [
      undefined,
      '',
      ',',
      'x-webkit-deflate-frame',
      'permessage-deflated',
      'bbf-usp-protocol',
    ]) {
      assert.equal(chooseDeflateOffer(offers, SHARED), '');
      assert.equal(chooseDeflateOffer(offers, DEDICATED), '');
    }
  });

  it('declines a limited window that the shared compressor does not have', () => {
    assert.equal(chooseDeflateOffer(`${PLAIN}; server_max_window_bits=12`, SHARED), '');
    assert.equal(chooseDeflateOffer(`${PLAIN}; server_max_window_bits=15`, SHARED), '');
  });

  it('takes the windows that the dedicated compressor confirms', () => {
    for (const [bits, isTaken] of [
      [8, false],
      [9, true],
      [14, true],
      [15, false],
    ] as const) {
      const offer = `${PLAIN}; server_max_window_bits=${bits}`;
      assert.equal(chooseDeflateOffer(offer, DEDICATED), isTaken ? offer : '');
    }
    assert.notEqual(chooseDeflateOffer(`${PLAIN}; server_max_window_bits="10"`, DEDICATED), '');
  });

  it('declines to forget the context with a compressor that keeps it', () => {
    const offer = `${PLAIN}; server_no_context_takeover`;
    assert.equal(chooseDeflateOffer(offer, SHARED), offer);
    assert.equal(chooseDeflateOffer(offer, DEDICATED), '');
  });

  it('takes the first of several that it can grant, and it alone', () => {
    const offers = `${PLAIN}; server_no_context_takeover; server_max_window_bits=9, ${PLAIN}; server_no_context_takeover, ${PLAIN}`;
    assert.equal(chooseDeflateOffer(offers, SHARED), `${PLAIN}; server_no_context_takeover`);
    assert.equal(chooseDeflateOffer(offers, DEDICATED), PLAIN);
  });

  it('declines an offer that is out of order', () => {
    for (const parameters of [
      'unknown',
      'client_max_window_bits=7',
      'client_max_window_bits=16',
      'client_max_window_bits=010',
      'client_max_window_bits=',
      'client_max_window_bits; client_max_window_bits',
      'client_no_context_takeover=1',
      'server_no_context_takeover=1',
      'server_max_window_bits',
      'server_max_window_bits=9; server_max_window_bits=9',
      '',
    ]) {
      assert.equal(chooseDeflateOffer(`${PLAIN}; ${parameters}`, SHARED), '', parameters);
      assert.equal(chooseDeflateOffer(`${PLAIN}; ${parameters}`, DEDICATED), '', parameters);
    }
  });
});
