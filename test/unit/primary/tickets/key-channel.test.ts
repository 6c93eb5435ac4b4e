import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { KeyReceiver, sendKeys } from '../../../../src/primary/tickets/key-channel.ts';

const STRANGER = 54_321;
const isLinux = process.platform === 'linux';

async function open(...args: Parameters<typeof KeyReceiver.open>): Promise<KeyReceiver> {
  const receiver = await KeyReceiver.open(...args);
  assert.ok(receiver !== null);
  return receiver;
}

describe('the channel for ticket keys', { skip: isLinux ? false : 'abstract sockets are of Linux' }, () => {
  it('carries a text of any length between processes of one user', async () => {
    const receiver = await open();
    const text = 'é'.repeat(2_000_000);
    assert.deepEqual(await Promise.all([sendKeys(receiver.name, text), receiver.receive()]), [null, text]);
    receiver.close();
  });

  it('creates no file, and disappears when it is closed', async () => {
    const receiver = await open();
    assert.match(receiver.name, /^sluice-tickets-[0-9a-f]{32}$/);
    receiver.close();
    assert.match(
      (await sendKeys(receiver.name, 'keys')) ?? '',
      /^the key channel failed: connect ECONNREFUSED/,
    );
    await assert.rejects(receiver.receive(), /closed/);
  });

  it('accepts nothing from another user, and still accepts keys from the same user', async () => {
    const users = [STRANGER, null, process.geteuid!()];
    const receiver = await open(() => users.shift()!);
    const received = receiver.receive();
    for (const text of ['forged', 'forged, too']) await sendKeys(receiver.name, text);
    await sendKeys(receiver.name, 'keys');
    assert.equal(await received, 'keys');
    receiver.close();
  });

  it('sends nothing to another user, or to an unknown one', async () => {
    const receiver = await open();
    const text = assert.rejects(receiver.receive(100), /in time/);
    assert.match(
      (await sendKeys(receiver.name, 'keys', () => STRANGER))!,
      /^the keys belong to user \d+, but user 54321 asked for them$/,
    );
    assert.match((await sendKeys(receiver.name, 'keys', () => null))!, /^the user of the peer is unknown/);
    await text;
    receiver.close();
  });

  it('sends only to the socket of a takeover, and no more than the other side accepts', async () => {
    const names = ['', 'x', '/run/docker.sock', `sluice-tickets-${'0'.repeat(31)}`, 'sluice-tickets-\n'];
    for (const name of names) assert.equal(await sendKeys(name, 'keys'), 'invalid name of a key channel');
    const receiver = await open();
    assert.equal(await sendKeys(receiver.name, 'x'.repeat(5_000_000)), 'too many keys');
    receiver.close();
  });

  it('waits for a limited time', async () => {
    const receiver = await open();
    await assert.rejects(receiver.receive(20), /^Error: the keys did not arrive in time$/);
    receiver.close();
  });

  it('disconnects a sender of more bytes than keys can have', async () => {
    const receiver = await open();
    const sender = connect(`\0${receiver.name}`);
    sender.on('error', () => undefined);
    const closed = new Promise((resolve) => sender.once('close', resolve));
    sender.write(Buffer.alloc(50_000_000));
    await closed;
    await assert.rejects(receiver.receive(0), /in time/);
    receiver.close();
  });
});
