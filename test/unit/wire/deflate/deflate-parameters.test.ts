import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDeflateParameters } from '../../../../src/wire/deflate/deflate-parameters.ts';

describe('the parameters of permessage-deflate', () => {
  it('are read for each side', () => {
    const agreed =
      'x-other; a=1, Permessage-Deflate; server_no_context_takeover ; client_max_window_bits = "9"';
    assert.deepEqual(readDeflateParameters(agreed, true), { hasContext: true, windowBytes: 512 });
    assert.deepEqual(readDeflateParameters(agreed, false), { hasContext: false, windowBytes: 32_768 });
  });

  it('are null without the extension', () => {
    for (const agreed of [
      '',
      'x-other',
      'permessage-deflated',
      'permessage-bzip2; client_max_window_bits=9',
    ]) {
      assert.equal(readDeflateParameters(agreed, true), null);
    }
  });

  it('are ignored if they are malformed', () => {
    for (const value of ['', '7', '16', 'x', '-9', '1e9']) {
      const agreed = `permessage-deflate; client_max_window_bits=${value}; ; =`;
      assert.deepEqual(readDeflateParameters(agreed, true), { hasContext: true, windowBytes: 32_768 });
    }
  });
});
