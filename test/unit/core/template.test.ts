import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandTemplate, targetParts, templateParts } from '../../../src/core/template.ts';

describe('a template', () => {
  it('is split at its placeholders', () => {
    assert.deepEqual(templateParts('/a$1$host_x-$$b'), [
      { text: '/a' },
      { name: '1' },
      { name: 'host_x' },
      { text: '-' },
      { text: '$' },
      { text: 'b' },
    ]);
    assert.deepEqual(templateParts(''), []);
    assert.deepEqual(templateParts('$0$'), [{ name: '' }, { text: '0' }, { name: '' }]);
  });

  it('is joined with the values of its names', () => {
    assert.equal(
      expandTemplate(templateParts('$a/$b$$'), (name) => name.repeat(2)),
      'aa/bb$',
    );
  });
});

describe('the target of a redirect', () => {
  const text = (to: string): readonly string[] =>
    Object.values(targetParts(to)).map((parts: ReturnType<typeof templateParts>) =>
      parts.map((part) => ('text' in part ? part.text : `<${part.name}>`)).join(''),
    );

  it('has a host, a path and the rest', () => {
    assert.deepEqual(text('https://$host:1/a?b/c#d'), ['https://<host>:1', '/a', '?b/c#d']);
    assert.deepEqual(text('HTTP://a$path'), ['HTTP://a<path>', '', '']);
    assert.deepEqual(text('//a/b#?'), ['//a', '/b', '#?']);
    assert.deepEqual(text('/a//b?x'), ['', '/a//b', '?x']);
    assert.deepEqual(text('$path'), ['', '<path>', '']);
  });
});
