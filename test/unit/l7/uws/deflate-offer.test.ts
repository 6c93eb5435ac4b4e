import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseDeflateOffer } from '../../../../src/l7/uws/deflate-offer.ts';

const PLAIN = 'permessage-deflate';

describe('the choice among offers of permessage-deflate', () => {
  it('accepts the offers of browsers', () => {
    for (const offer of [PLAIN, `${PLAIN}; client_max_window_bits`, `${PLAIN};client_no_context_takeover`]) {
      assert.equal(chooseDeflateOffer(offer), offer);
    }
  });

  it('accepts nothing without an offer of permessage-deflate', () => {
    for (const offers of [
      undefined,
      '',
      ',',
      'x-webkit-deflate-frame',
      'permessage-deflated',
      'bbf-usp-protocol',
    ]) {
      assert.equal(chooseDeflateOffer(offers), '');
    }
  });

  it('declines a limited window, which the shared compressor does not support', () => {
    assert.equal(chooseDeflateOffer(`${PLAIN}; server_max_window_bits=12`), '');
    assert.equal(chooseDeflateOffer(`${PLAIN}; server_max_window_bits=15`), '');
  });

  it('accepts no_context_takeover, because no context is kept', () => {
    const offer = `${PLAIN}; server_no_context_takeover`;
    assert.equal(chooseDeflateOffer(offer), offer);
  });

  it('accepts only the first acceptable offer', () => {
    const offers = `${PLAIN}; server_no_context_takeover; server_max_window_bits=9, ${PLAIN}; server_no_context_takeover, ${PLAIN}`;
    assert.equal(chooseDeflateOffer(offers), `${PLAIN}; server_no_context_takeover`);
  });

  it('declines an invalid offer', () => {
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
      assert.equal(chooseDeflateOffer(`${PLAIN}; ${parameters}`), '', parameters);
    }
  });
});
