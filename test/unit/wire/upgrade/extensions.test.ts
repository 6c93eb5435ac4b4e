import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extensionProblem } from '../../../../src/wire/upgrade/extensions.ts';

const OFFER = 'permessage-deflate; client_max_window_bits, permessage-deflate, x-other;a=1;b="2"';

describe("an endpoint's choice of extensions", () => {
  it('may be empty', () => {
    assert.equal(extensionProblem('', ''), null);
    assert.equal(extensionProblem('', OFFER), null);
  });

  it('may have any offered extension, with other parameters (RFC 7692 section 7.1)', () => {
    for (const chosen of [
      'permessage-deflate',
      'permessage-deflate;server_max_window_bits=10; server_no_context_takeover',
      'permessage-deflate; server_max_window_bits = "10"',
      'x-other, permessage-deflate',
    ]) {
      assert.equal(extensionProblem(chosen, OFFER), null, chosen);
    }
  });

  it('is refused if anything in it was not offered, or is chosen twice', () => {
    for (const chosen of [
      'deflate-stream',
      'permessage-deflate, deflate-stream',
      'permessage-deflate, permessage-deflate',
      'Permessage-Deflate',
      'permessage',
    ]) {
      assert.equal(extensionProblem(chosen, OFFER), 'extension that was not offered', chosen);
    }
    assert.equal(extensionProblem('permessage-deflate', ''), 'extension that was not offered');
  });

  it('is refused if it is malformed', () => {
    for (const chosen of [
      ',',
      'permessage-deflate,',
      ';',
      'permessage-deflate;',
      'permessage-deflate; a=',
      'permessage-deflate; a="b c"',
      'permessage-deflate; a="b',
      'permessage deflate',
    ]) {
      assert.equal(extensionProblem(chosen, OFFER), 'malformed extension', chosen);
    }
  });

  it('takes linear time', () => {
    const startedAt = performance.now();
    extensionProblem(`permessage-deflate; a${' '.repeat(60_000)}b`, OFFER);
    extensionProblem('permessage-deflate; a="'.repeat(3000), OFFER);
    extensionProblem('permessage-deflate', ' ,;'.repeat(20_000));
    assert.ok(performance.now() - startedAt < 500);
  });
});
