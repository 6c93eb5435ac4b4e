/** The page for people, as its file is served. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { AdminRequest, Answer } from '../../../../../src/primary/admin/admin-answer.ts';
import { PageFile } from '../../../../../src/primary/admin/pages/page-file.ts';

const SCRIPT = 'document.title = "</b>";';
const STYLE = `b { color: red }${' '.repeat(2000)}`;
const HTML = `<!doctype html><style>${STYLE}</style><script>${SCRIPT}</script>`;

function requestWith(headers: Readonly<Record<string, string>> = {}): AdminRequest {
  return { method: 'GET', url: '/', httpVersion: '1.1', headers, headersDistinct: {}, socket: {} };
}

function bytesOf({ body }: Answer): Buffer {
  assert.ok(Buffer.isBuffer(body));
  return body;
}

describe('the page for people', () => {
  let directory: string;
  let file: string;
  let page: PageFile;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-page-'));
    file = join(directory, 'page.html');
    page = new PageFile(pathToFileURL(file));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('is answered with 503 and the remedy until it is built', async () => {
    const { status, body } = await page.answer(requestWith());
    assert.equal(status, 503);
    assert.ok(typeof body === 'string');
    assert.match(body, /npm run build/);
    writeFileSync(file, HTML);
    assert.equal((await page.answer(requestWith())).status, 200);
  });

  it('is gzip for clients that accept it, and plain for others', async () => {
    const packed = await page.answer(requestWith({ 'accept-encoding': 'gzip, br' }));
    assert.equal(packed.headers?.['Content-Encoding'], 'gzip');
    assert.equal(gunzipSync(bytesOf(packed)).toString(), HTML);
    const plain = await page.answer(requestWith());
    assert.equal(plain.headers?.['Content-Encoding'], undefined);
    assert.equal(bytesOf(plain).toString(), HTML);
  });

  it('has a policy with the hashes of its script and style, and allows nothing else', async () => {
    const { headers } = await page.answer(requestWith());
    const policy = headers?.['Content-Security-Policy'] ?? '';
    const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    assert.ok(policy.includes(`script-src ${hash(SCRIPT)};`), policy);
    assert.ok(policy.includes(`style-src ${hash(STYLE)};`), policy);
    assert.match(policy, /^default-src 'none'; .*connect-src 'self'; .*frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
  });

  it('is not sent again to a browser that has it', async () => {
    const { headers } = await page.answer(requestWith());
    const tag = headers?.ETag ?? '';
    for (const known of [tag, `"other", ${tag}`, tag.replace('W/', ''), '*']) {
      const answer = await page.answer(requestWith({ 'if-none-match': known }));
      assert.deepEqual([answer.status, answer.body], [304, ''], known);
      assert.equal(answer.headers?.ETag, tag);
    }
    assert.equal((await page.answer(requestWith({ 'if-none-match': '"other"' }))).status, 200);
  });
});
