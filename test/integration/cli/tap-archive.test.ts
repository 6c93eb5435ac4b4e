/** A HAR file from `sluice tap`, read by the importer of a browser's network panel. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { TAP_HEADER, openedRecord, textRecord } from '../../support/http/tap-server.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../../support/processes/chromium.ts';
import { PROGRAM } from '../../support/processes/program.ts';
import { runCommand } from '../../support/processes/run-command.ts';

/** The developer tools in Chromium. */
const TOOLS = 'devtools://devtools/bundled/inspector.html';

/** Returns a script for the tools' page that imports an archive as the panel's button does. */
function importOf(archive: string): string {
  return `import('./models/har/har.js').then(({ HARFormat, Importer }) => {
    const { log } = new HARFormat.HARRoot(JSON.parse(${JSON.stringify(archive)}));
    return Importer.Importer.requestsFromHARLog(log).map((request) => ({
      url: request.url(),
      type: request.resourceType().name(),
      status: request.statusCode,
      address: request.remoteAddress(),
      frames: request.frames().map(({ type, opCode, text }) => [type, opCode, text]),
    }));
  })`;
}

describe('a HAR file in the network panel', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'tap-archive-'));
  after(() => rmSync(directory, { recursive: true }));

  it('shows each session as a WebSocket with its messages', async () => {
    const recording = join(directory, 'a.jsonl');
    const archive = join(directory, 'a.har');
    const binary = { ...textRecord('a-1', ''), opcode: 'binary', from: 'endpoint', base64: 'AAH/' };
    const records = [
      TAP_HEADER,
      openedRecord('a-1'),
      openedRecord('a-2'),
      textRecord('a-1', 'hällo'),
      binary,
    ];
    writeFileSync(recording, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const made = await runCommand(process.execPath, [
      PROGRAM,
      'tap',
      '--from',
      recording,
      '--output',
      archive,
    ]);
    assert.equal(made.status, 0, made.stderr);

    const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGUMENTS] });
    try {
      const page = await browser.newPage();
      await page.goto(TOOLS);
      const imported = await page.evaluate(importOf(readFileSync(archive, 'utf8')));
      const common = {
        url: 'ws://chat.example/chat',
        type: 'websocket',
        status: 101,
        address: '10.0.0.11:9001',
      };
      assert.deepEqual(imported, [
        {
          ...common,
          frames: [
            ['send', 1, 'hällo'],
            ['receive', 2, 'AAH/'],
          ],
        },
        { ...common, frames: [] },
      ]);
    } finally {
      await browser.close();
    }
  });
});
