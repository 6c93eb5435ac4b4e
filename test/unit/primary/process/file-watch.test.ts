import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { FileWatch } from '../../../../src/primary/process/file-watch.ts';
import { eventually } from '../../../support/deadline.ts';

describe('a watch over files', { timeout: 300_000 }, () => {
  let directory = '';
  let file = '';
  let told = 0;
  let watch: FileWatch | null = null;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-watch-'));
    file = join(directory, 'sluice.yaml');
    writeFileSync(file, 'first');
    told = 0;
  });
  afterEach(() => {
    watch?.stop();
    rmSync(directory, { recursive: true });
  });

  function start(...files: string[]): FileWatch {
    watch = new FileWatch(files);
    watch.start(() => {
      told++;
      return Promise.resolve();
    });
    return watch;
  }

  const tells = (count: number): Promise<void> => eventually(() => assert.equal(told, count));

  it('reports a file written in place, once for several steps', async () => {
    start(file);
    writeFileSync(file, '');
    writeFileSync(file, 'sec');
    writeFileSync(file, 'second');
    await tells(1);
    writeFileSync(file, 'third');
    await tells(2);
  });

  it('reports new and removed files that match a pattern, and no others', async () => {
    start(join(directory, '*.yaml'), join(directory, 'none/*.yaml'));
    writeFileSync(join(directory, 'other.txt'), '');
    writeFileSync(join(directory, 'new.yaml'), '');
    await tells(1);
    unlinkSync(join(directory, 'new.yaml'));
    await tells(2);
  });

  it('reports a file replaced by rename, each time', async () => {
    start(file);
    for (const count of [1, 2, 3]) {
      writeFileSync(`${file}.new`, `number ${count}`);
      renameSync(`${file}.new`, file);
      await tells(count);
    }
  });

  it('reports a link that changes to another directory', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'tls.crt'), name);
    }
    symlinkSync('one', join(directory, '..data'));
    const link = join(directory, 'tls.crt');
    symlinkSync('..data/tls.crt', link);
    start(file, link);
    symlinkSync('two', join(directory, '..new'));
    renameSync(join(directory, '..new'), join(directory, '..data'));
    await tells(1);
  });

  it('reports a change between the reading and the start, a removed file, and a new one', async () => {
    watch = new FileWatch([file]);
    writeFileSync(file, 'second');
    watch.start(() => {
      told++;
      return Promise.resolve();
    });
    await tells(1);
    unlinkSync(file);
    await tells(2);
    writeFileSync(file, 'back');
    await tells(3);
  });

  it('switches to other files, and keeps the marks of those that stay', async () => {
    const other = join(directory, 'key.pem');
    const watching = start(file);
    writeFileSync(other, 'key');
    watching.read([file, other], true);
    writeFileSync(other, 'key 2');
    await tells(1);
    watching.read([other], true);
    writeFileSync(file, 'nobody cares');
    writeFileSync(other, 'key 3');
    await tells(2);
  });

  it('watches unusable files besides the current ones', async () => {
    const missing = join(directory, 'missing.pem');
    const watching = start(file);
    watching.read([file, missing], false);
    writeFileSync(missing, 'there now');
    await tells(1);
    writeFileSync(file, 'second');
    await tells(2);
  });

  it('reports nothing about neighbouring files, and nothing after its end', async () => {
    const watching = start(file);
    writeFileSync(join(directory, 'neighbour'), 'x');
    await delay(1000);
    assert.equal(told, 0);
    watching.stop();
    utimesSync(file, 1, 1);
    await delay(1000);
    assert.equal(told, 0);
  });

  it('reports the next change only after the callback for the last one', async () => {
    const release = Promise.withResolvers<undefined>();
    watch = new FileWatch([file]);
    watch.start(async () => {
      told++;
      await release.promise;
    });
    writeFileSync(file, 'second');
    await tells(1);
    writeFileSync(file, 'third');
    await delay(1000);
    assert.equal(told, 1);
    release.resolve(undefined);
    await tells(2);
  });
});
