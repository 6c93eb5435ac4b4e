import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countWords, findHabits, sentencesOf } from '../../../../scripts/words/prose.ts';
import { WORD_RULES } from '../../../../scripts/words/rules.ts';

const habitsOf = (text: string, hasSentences = true): string[] =>
  findHabits({ file: 'a.ts', line: 7, text, hasSentences }).map(({ message }) => message);

describe('the linter of words', () => {
  it('finds habits with their place and a remedy', () => {
    assert.deepEqual(
      findHabits({ file: 'a.ts', line: 7, text: 'Allows so many bytes.', hasSentences: true }),
      [{ file: 'a.ts', line: 7, message: '"so many": write "max", "up to" or the number' }],
    );
  });

  it('finds each habit of a text', () => {
    for (const text of [
      'A socket of its own.',
      'Hears of connections.',
      'Tells whether a client has come.',
      'The peer has gone.',
      'Reads on, else it waits.',
      'To be called once.',
      'What a client may do.',
      'A cluster under way.',
      'Of the requests, half fail.',
      'The settings are those of the listener.',
    ])
      assert.notDeepEqual(habitsOf(text), [], text);
  });

  it('accepts plain sentences', () => {
    for (const text of [
      'Max bytes of a response head.',
      'Called when the peer sends FIN.',
      'Returns the endpoint, or null if none accepts connections.',
      'What is the limit?',
    ])
      assert.deepEqual(habitsOf(text), [], text);
  });

  it('sees no code, quotes or addresses', () => {
    for (const text of ['`so many`', 'See {@link anew}.', '[text](of-its-own.md)', 'Says "of its own".'])
      assert.deepEqual(habitsOf(text), [], text);
  });

  it('finds long sentences, but not in texts that are no sentences', () => {
    const words = (count: number): string => `${'word '.repeat(count).trim()}.`;
    assert.deepEqual(habitsOf(words(25)), []);
    assert.match(habitsOf(words(26))[0]!, /^26 words, more than 25: "word word/);
    assert.deepEqual(habitsOf(words(26), false), []);
    assert.deepEqual(habitsOf(`${words(20)} ${words(20)}`), []);
  });

  it('splits sentences, without the sources of facts', () => {
    assert.deepEqual(sentencesOf('One (RFC 9110 section 7.8). Two: three\nfour.'), [
      'One .',
      'Two:',
      'three four.',
    ]);
    assert.equal(countWords('one - two 3'), 3);
  });

  it('has rules that match anywhere in a text, in any case', () => {
    for (const { pattern } of WORD_RULES) assert.equal(pattern.flags, 'giu');
  });
});
