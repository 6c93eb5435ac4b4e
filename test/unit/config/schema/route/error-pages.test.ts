import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderConfig } from '../../../../../src/config/render.ts';
import { ItemMemory } from '../../../../../src/config/syntax/item-memory.ts';
import { errorsOf, inDirectory, l7, l7Of, load } from '../../load.ts';

const FILES = {
  'a.html': '<p>a',
  'b.JSON': '{}',
  'c.txt': 'c',
  'd.xml': '<d/>',
  'e.htm': '<p>e',
  'big.html': 'x'.repeat(64 * 1024 + 1),
  plain: 'x',
};

describe('errorPages', () => {
  it('reads files with the content types of their endings', () => {
    const text = l7('errorPages: { 404: a.html, 500: b.JSON, 4xx: c.txt, 5xx: d.xml, default: e.htm }');
    const loaded = load(text, { files: FILES });
    const { errorPages } = l7Of(loaded);
    assert.deepEqual(
      [...errorPages].map(([key, { file, contentType, body }]) => [
        key,
        file,
        contentType,
        Buffer.from(body).toString(),
      ]),
      [
        ['404', inDirectory('a.html'), 'text/html; charset=utf-8', '<p>a'],
        ['500', inDirectory('b.JSON'), 'application/json', '{}'],
        ['4xx', inDirectory('c.txt'), 'text/plain; charset=utf-8', 'c'],
        ['5xx', inDirectory('d.xml'), 'application/xml', '<d/>'],
        ['default', inDirectory('e.htm'), 'text/html; charset=utf-8', '<p>e'],
      ],
    );
    assert.ok(loaded.files.includes(inDirectory('a.html')));
    assert.deepEqual(load(renderConfig(loaded)).config, loaded.config);
  });

  it('keeps one copy of a file, without the bytes beside it in memory', () => {
    const text = l7('errorPages: { 404: a.html, default: ./a.html }');
    const { errorPages } = l7Of(load(text, { files: FILES }));
    const { body } = errorPages.get('404')!;
    assert.equal(errorPages.get('default')!.body, body);
    assert.equal(body.buffer.byteLength, 4);
  });

  it('refuses other keys, other endings, and files that are missing or too large', () => {
    const errors = (value: string): string[] => errorsOf(l7(`errorPages: ${value}`), { files: FILES });
    for (const key of ['200', '600', '40x', '3xx', 'Default']) {
      assert.deepEqual(errors(`{ ${key}: a.html }`), [
        `5:19: "${key}" is not an error status: write 400 to 599, 4xx, 5xx or default`,
      ]);
    }
    assert.deepEqual(errors('{ 404: plain }'), [
      '5:24: 404: "plain" has no known content type: name a file that ends in .html, .htm, .json, .txt, .xml',
    ]);
    assert.deepEqual(errors('{ 404: none.html }'), [
      '5:24: 404: "none.html" cannot be read: file not found (looked for none.html)',
    ]);
    assert.deepEqual(errors('{ 404: big.html }'), [
      '5:24: 404: "big.html" is larger than 64KiB (looked at big.html)',
    ]);
    assert.match(
      errors('a.html')[0] ?? '',
      /^5:17: errorPages: "a.html" is not a mapping: write \{ default: a\.html \}$/,
    );
    assert.match(errors('off')[0] ?? '', /is not a mapping: "errorPages" has statuses/);
  });

  it('bounds the bytes of all files', () => {
    const names = Array.from({ length: 17 }, (_, index) => `page${index}.txt`);
    const files = Object.fromEntries(names.map((name) => [name, 'x'.repeat(64 * 1024)]));
    const pages = (count: number): string =>
      l7(
        `errorPages: { ${names
          .slice(0, count)
          .map((name, index) => `${400 + index}: ${name}`)
          .join(', ')} }`,
      );
    assert.deepEqual(errorsOf(pages(16), { files }), []);
    assert.match(errorsOf(pages(17), { files })[0] ?? '', /"page16.txt" brings all error pages above 1MiB/);
  });

  it('of routes are apart from the listener, none with off, and read again at each load', () => {
    const memory = new ItemMemory();
    const route = (index: number, more: string): string =>
      `  - { name: r${index}, match: { path: /${index}/${'x'.repeat(60)} }, respond: {}${more} }`;
    const lines = Array.from({ length: 300 }, (_, index) => route(index, ', errorPages: { 404: c.txt }'));
    const text = l7('routes:', ...lines, route(300, ", errorPages: 'off'"), route(301, ''));
    const pagesOf = (content: string): (string | undefined | null)[] =>
      l7Of(load(text, { files: { ...FILES, 'c.txt': content }, memory })).routes.map(({ errorPages }) =>
        errorPages === null
          ? null
          : errorPages.get('404') && Buffer.from(errorPages.get('404')!.body).toString(),
      );
    assert.deepEqual(pagesOf('one').slice(299), ['one', null, undefined]);
    assert.deepEqual(pagesOf('two').slice(299), ['two', null, undefined]);
  });
});
