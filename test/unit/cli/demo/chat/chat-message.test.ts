import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readMessage } from '../../../../../src/cli/demo/chat/chat-message.ts';

const named = (name: string): unknown => readMessage(JSON.stringify({ type: 'hello', name }));
const said = (text: string): unknown => readMessage(JSON.stringify({ type: 'say', text }));

describe('a chat name', () => {
  it('is reduced to one line of at most 24 visible characters', () => {
    const names: [string, string][] = [
      ['Ada', 'Ada'],
      ['  Ada\t\r\n Lovelace ', 'Ada Lovelace'],
      ['A\u0000d\u200ba\u202e', 'Ada'],
      ['e\u0301', 'é'],
      ['x'.repeat(30), 'x'.repeat(24)],
      ['👋'.repeat(30), '👋'.repeat(24)],
      [`${'x'.repeat(23)} y`, 'x'.repeat(23)],
      ['<b>', '<b>'],
    ];
    for (const [name, clean] of names) assert.deepEqual(named(name), { type: 'hello', name: clean });
  });

  it('is refused if it has no visible character', () => {
    for (const name of ['', '  ', '\u200b\u202e', '\ud800']) assert.equal(named(name), 'The name is empty.');
  });
});

describe('a chat text', () => {
  it('keeps line breaks and emoji, and loses invisible characters', () => {
    const texts: [string, string][] = [
      [' hi ', 'hi'],
      ['a\r\nb\rc\nd', 'a\nb\nc\nd'],
      ['a\n \n\n\n\nb', 'a\n\nb'],
      ['👩\u200d👧', '👩\u200d👧'],
      ['a\u0007\u202eb\ud800', 'ab'],
    ];
    for (const [text, clean] of texts) assert.deepEqual(said(text), { type: 'say', text: clean });
  });
});

describe('any chat message', () => {
  it('is parsed or refused with a sentence, and never throws', () => {
    const messages = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ type: fc.constantFrom('hello', 'say', 'x'), name: fc.string(), text: fc.string() })
        .map((message) => JSON.stringify(message)),
    );
    fc.assert(
      fc.property(messages, (json) => {
        const message = readMessage(json);
        if (typeof message === 'string') assert.match(message, /^[A-Z].*\.$/);
        else assert.ok((message.type === 'hello' ? message.name : message.text) !== '');
      }),
    );
  });
});
