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

  it('names the source in place of a number', () => {
    assert.equal(
      masked('-7 is not a number of threads: write auto, or 1 to 256', '-7', '"${N}"'),
      '"${N}" is not a number of threads: write auto, or 1 to 256',
    );
  });

  it('hides quoted parts of the value in the fault, and long words of it everywhere', () => {
    assert.equal(
      masked('"geh" is listed twice: write https://Geheimnis', 'geh:geheimnis', SOURCE),
      `"..." is listed twice: write https://... (from ${SOURCE})`,
    );
  });

  it('has the whole remedy, whatever the value has in common with it', () => {
    const remedy = 'write host:port, such as "127.0.0.1:8080"';
    assert.equal(
      masked('"write 127 8080" is not an address: ' + remedy, 'write 127 8080', SOURCE),
      `${SOURCE} is not an address: ${remedy}`,
    );
    assert.equal(
      masked(`the value is not a token: ${remedy}`, 'the token of value', SOURCE),
      `the value is not a token: ${remedy} (from ${SOURCE})`,
    );
  });

  it('has no quote and no long word of the value, whatever the value is', () => {
    const word = fc.stringMatching(/^[a-z0-9]{3,70}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(' ', ':', '/', '@', ': '),
        (words, between) => {
          const value = words.join(between);
          const message = masked(
            `${quoted(value)} is bad, ${quoted(words[0]!)} too: "${value}" is`,
            value,
            '#',
          );
          const [fault = ''] = message.split(': ');
          for (const each of words) {
            assert.ok(!fault.includes(quoted(each)), message);
            if (each.length >= 8) assert.ok(!message.split(/[^a-z0-9]+/).includes(each), message);
          }
        },
      ),
    );
  });
});
