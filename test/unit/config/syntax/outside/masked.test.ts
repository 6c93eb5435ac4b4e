import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { describe as quoted } from '../../../../../src/config/syntax/formats.ts';
import { masked } from '../../../../../src/config/syntax/outside/masked.ts';

const SOURCE = 'the text of /run/token';

describe('a masked message', () => {
  it('names the source in place of the value', () => {
    assert.equal(
      masked('"geheim" is not one of a, b', 'geheim', SOURCE),
      'the text of /run/token is not one of a, b',
    );
  });

  it('names the source behind a message that does not quote the value', () => {
    assert.equal(
      masked('the value is not a token', 'x', SOURCE),
      `the value is not a token (from ${SOURCE})`,
    );
  });

  it('hides the words of the value, in any case, and parts of them', () => {
    const message = masked(
      'collectors are at https://geheimnis, not at GEHEIMNISVOLL or x',
      'GeheimnisVoll/x',
      SOURCE,
    );
    assert.equal(message, `collectors are at https://..., not at ... or x (from ${SOURCE})`);
  });

  it('has no word of the value, whatever the value is', () => {
    const word = fc.stringMatching(/^[a-z0-9]{3,70}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(' ', ':', '/', '@'),
        (words, between) => {
          const value = words.join(between);
          const message = masked(`${quoted(value)} is bad: ${words[0]!} and ${value} are`, value, '#');
          const shown = new Set(message.split(/[^a-z0-9]+/));
          for (const each of words) assert.ok(!shown.has(each), message);
        },
      ),
    );
  });
});
