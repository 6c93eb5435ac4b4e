/** Runs a case on one side of the proxy. */
import type { PerMessageDeflateOptions } from 'ws';
import { MAX_HELD_PAYLOAD_BYTES } from '../../../src/wire/frames/frame-reader.ts';
import {
  type RawConnection,
  headerOf,
  switchingProtocols,
  upgradeRequest,
} from '../../support/sockets/raw-connection.ts';
import { closeBody } from '../../support/websocket/raw-frames.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';
import type { Case, Script, ListenerName, Message, Outcome, Side } from './case.ts';
import { ClientDeflate, negotiationFault, parseDeflate } from './deflate.ts';
import { HostilePeer } from './hostile-peer.ts';
import { isOwn } from './listeners.ts';
import { describeClose, describeMessages, describePayloads } from './outcome.ts';
import { ECHO_PATH, INFLATING_PATH, RAW_PATH, type Rig } from './rig.ts';

/** @throws Error where the proxy sends what nobody may send, or does not answer in time */
export async function runCase(
  rig: Rig,
  side: Side,
  listener: ListenerName,
  one: Case,
  script: Script,
): Promise<Outcome> {
  await rig.clear(side);
  return side === 'client' ? asClient(rig, listener, one, script) : asEndpoint(rig, listener, one, script);
}

/** The hostile peer is a client; the other side is an endpoint that echoes. */
async function asClient(rig: Rig, listener: ListenerName, one: Case, script: Script): Promise<Outcome> {
  const { offer } = one;
  const connection = await rig.connect(listener);
  try {
    const headers = offer === undefined ? [] : [`Sec-WebSocket-Extensions: ${offer}`];
    const isCompressedByEnds = offer !== undefined && isOwn(listener);
    const path = isCompressedByEnds ? INFLATING_PATH : ECHO_PATH;
    connection.write(upgradeRequest('conformance.example', headers, path));
    const head = await connection.head();
    if (!head.startLine.includes(' 101 ')) throw new Error(head.startLine);
    const endpoint = await rig.echoSession(isCompressedByEnds);
    const relayed: Message[] = [];
    const invalid: Error[] = [];
    endpoint.socket.on('error', (error) => {
      if (isOfData(error)) invalid.push(error);
    });
    endpoint.socket.on('message', (data, binary) => relayed.push({ binary, payload: data as Buffer }));
    const answer = headerOf(head, 'sec-websocket-extensions');
    const peer = new HostilePeer(
      connection,
      'client',
      answer === undefined ? null : new ClientDeflate(answer),
    );
    await perform(peer, one, script, () => peer.messages.length >= script.messages.length);
    const closed = await endpoint.closed();
    const isInvalid = invalid.length > 0;
    if (answer !== undefined && peer.compressed < peer.messages.filter(isSmall).length) {
      throw new Error('compression is agreed on, but the proxy does not use it');
    }
    return {
      relayed: describeMessages(relayed),
      echoed: script.echoes === 'any' ? '' : describeMessages(peer.messages),
      pongs: describePayloads(peer.pongs),
      closeFrame: peer.closeFrame,
      otherSide: isInvalid ? 'invalid data' : describeClose(closed),
      failedAt: isInvalid ? '' : peer.failedAt,
      negotiation: offer === undefined ? '' : negotiationFault(offer, answer),
    };
  } finally {
    connection.destroy();
  }
}

/** The hostile peer is an endpoint; the other side is a plain client. */
async function asEndpoint(rig: Rig, listener: ListenerName, one: Case, script: Script): Promise<Outcome> {
  const connecting = WsPeer.connect(rig.url(listener, RAW_PATH), {
    rejectUnauthorized: false,
    perMessageDeflate: one.offer === undefined ? false : clientOptions(one.offer),
    // A large message comes in as many fragments as the proxy has had to read.
    maxFragments: 0,
  });
  const [client, connection] = await Promise.all([connecting, acceptAtEndpoint(rig)]);
  try {
    const relayed: Message[] = [];
    let failure = '';
    let wake: () => void = () => undefined;
    client.socket.on('message', (data, binary) => {
      relayed.push({ binary, payload: data as Buffer });
      wake();
    });
    client.socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = isOfData(error) ? 'invalid data' : (error.code ?? error.message);
    });
    const peer = new HostilePeer(connection, 'endpoint');
    wake = () => peer.recheck();
    await perform(peer, one, script, () => relayed.length >= script.messages.length);
    const closed = await client.closed();
    return {
      relayed: describeMessages(relayed),
      echoed: '',
      pongs: describePayloads(peer.pongs),
      closeFrame: peer.closeFrame,
      otherSide: failure || describeClose(closed),
      failedAt: '',
      negotiation:
        one.offer === undefined
          ? ''
          : negotiationFault(firstOffer(one.offer), client.headers['sec-websocket-extensions']),
    };
  } finally {
    connection.destroy();
  }
}

/** Whether the library has failed a connection for what a message holds, and not for its frames. */
function isOfData({ code }: NodeJS.ErrnoException): boolean {
  return code === 'WS_ERR_INVALID_UTF8' || code?.startsWith('Z_') === true;
}

/** Whether the proxy waits for the whole of a message: a larger one may cross in parts, and uncompressed. */
function isSmall({ payload }: Message): boolean {
  return payload.length > 0 && payload.length <= MAX_HELD_PAYLOAD_BYTES;
}

/** Joins the endpoint to the client that is connecting. */
async function acceptAtEndpoint({ raw }: Rig): Promise<RawConnection> {
  const { connection, head } = await raw.request();
  if (headerOf(head, 'sec-websocket-extensions') !== undefined) throw new Error('an extension is offered');
  connection.write(switchingProtocols(head));
  return connection;
}

/** Does what the case says, and sees the connection to its end. */
async function perform(peer: HostilePeer, one: Case, script: Script, arrived: () => boolean): Promise<void> {
  await peer.perform(script.steps, one.chop);
  if (one.end.kind === 'normal') {
    await peer.until(() => arrived() && peer.pongs.length >= script.pongs.length);
    peer.close(closeBody(1000));
  }
  await peer.over();
  if (peer.faults.length > 0) throw new Error(`the proxy sent ${peer.faults.join(', ')}`);
}

/** A client of the library that makes the same offer. */
function clientOptions(offer: string): PerMessageDeflateOptions {
  const { serverNoContextTakeover, serverMaxWindowBits } = parseDeflate(firstOffer(offer))[0]!;
  return {
    threshold: 0,
    serverNoContextTakeover,
    ...(serverMaxWindowBits !== null && { serverMaxWindowBits }),
  };
}

/** The library makes only one. */
function firstOffer(offers: string): string {
  return offers.split(',')[0]!;
}
